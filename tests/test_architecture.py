"""Imports run one way, and importing a module loads no weights and starts no thread."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support import ROOT

MODULES = sorted([ROOT / "app.py", *(ROOT / "demo").rglob("*.py")], key=str)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def imports_of(path: Path) -> set[str]:
    """Find the names of all modules that a file imports, at the top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (whole & NAMES) or {node.module}
    return found


IMPORTS = {name_of(path): imports_of(path) for path in MODULES}


def lies_in(module: str, *packages: str) -> bool:
    """Tell whether a module is one of these packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


TOP = ("app", "demo.server", "demo.site", "demo.ui", "demo.web", "demo.__main__")
"""The modules that people and other programs reach directly."""

CONTRACT = ("demo.models.model", "demo.models.checkpoint", "demo.models.engines.contract")
"""The modules of `demo.models` that the inference path may import."""

AFTER_INFERENCE = tuple(
    f"demo.{name}" for name in ("live", "video", "evaluation", "exports", "overlay", "areas")
)
BEFORE_INFERENCE = tuple(
    f"demo.{name}" for name in ("class_map", "framing", "image", "classes", "variants", "errors")
)

RULES = {
    "only the page and its server import gradio": lambda importer, imported: (
        lies_in(imported, "gradio") and not lies_in(importer, "app", "demo.ui", "demo.server")
    ),
    "only the models import a runtime for networks": lambda importer, imported: (
        lies_in(imported, "torch", "transformers", "openvino", "ray")
        and not lies_in(importer, "demo.models")
    ),
    "the inference path imports no code that loads models": lambda importer, imported: (
        lies_in(imported, "demo.models")
        and imported not in CONTRACT
        and not lies_in(importer, "demo.models", *TOP)
    ),
    "lower layers import neither the page nor its server": lambda importer, imported: (
        (lies_in(imported, *TOP) and not lies_in(importer, *TOP))
        or (lies_in(imported, "demo.ui", "demo.server") and lies_in(importer, "demo.web"))
        or (lies_in(imported, "demo.server") and lies_in(importer, "demo.ui"))
    ),
    "inference does not import what uses its results": lambda importer, imported: (
        (
            lies_in(imported, "demo.inference", *AFTER_INFERENCE)
            and lies_in(importer, "demo.models", "demo.segmentation", *BEFORE_INFERENCE)
        )
        or (lies_in(imported, *AFTER_INFERENCE) and lies_in(importer, "demo.inference"))
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_no_import_breaks_a_layer_rule(rule: str) -> None:
    broken = [
        f"{importer} imports {imported}"
        for importer, all_imported in IMPORTS.items()
        for imported in all_imported
        if RULES[rule](importer, imported)
    ]
    assert not broken


def test_imports_form_no_cycle() -> None:
    graph = {name: imported & NAMES - {name} for name, imported in IMPORTS.items()}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the cycle


def test_importing_loads_no_weights_and_starts_no_thread() -> None:
    modules = ", ".join(sorted(NAMES - {"app", "demo.__main__"}))
    code = (
        "import threading, time\n"
        f"import {modules}\n"
        "from demo.models.registry import default_registry\n"
        "ours = [t.name for t in threading.enumerate() if t.name.startswith(('load', 'hub'))]\n"
        "assert not ours, ours\n"
        "assert all(default_registry().loaded(k) is None for k in ('xxs', 'xs', 's'))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
