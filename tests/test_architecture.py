"""The rules of the house: who may import whom, and that importing does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted([ROOT / "app.py", *(ROOT / "demo").rglob("*.py")], key=str)

# from the top of the house to its foundation; a module imports only from lower floors
FLOORS = [
    {"app"},
    {"demo.ui.serving"},
    {"demo.ui.blocks"},
    {"demo.ui.film"},
    {"demo.ui.handlers", "demo.web.live_socket"},
    {"demo.ui.guard"},
    {"demo.ui.files"},
    {"demo.web.gate", "demo.web.health", "demo.web.fetch", "demo.web.logs"},
    {"demo.web.doors", "demo.web.storage"},
    {"demo.web.limits", "demo.web.visits"},
    {"demo.ui.payload"},
    {"demo.ui.status", "demo.__main__"},
    {"demo.exports", "demo.evaluation", "demo.live", "demo.video"},
    {"demo.overlay", "demo.areas"},
    {"demo.inference"},
    {"demo.registry"},
    {"demo.loading"},
    {"demo.engines.openvino"},
    {"demo.engines.pytorch", "demo.weights", "demo.class_map"},
    {"demo.hub", "demo.engines"},
    {"demo.segmentation"},
    {"demo.framing"},
    {"demo.cpus", "demo.fair_lock"},
    {"demo.image", "demo.classes", "demo.variants", "demo.settings", "demo.checkpoint"},
    {"demo.errors", "demo.metrics"},
]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = {name_of(module) for module in MODULES}
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (whole & modules) or {node.module}
    return found


def floor_of(name: str) -> int:
    return next(i for i, floor in enumerate(FLOORS) if name in floor)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    name = name_of(path)
    if name in ("demo", "demo.ui", "demo.web"):
        assert not imports_of(path)
        return
    upward = [
        other
        for other in imports_of(path)
        if other.startswith("demo") and floor_of(other) <= floor_of(name)
    ]
    assert not upward, f"{name} imports {upward}, which are not below it"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_packages_stay_where_they_belong(path: Path) -> None:
    name = name_of(path)
    roots = {module.split(".")[0] for module in imports_of(path)}
    if not name.startswith(("app", "demo.ui")):
        assert "gradio" not in roots
    if not name.startswith("demo.engines") and name != "demo.loading":
        assert not roots & {"torch", "transformers", "openvino"}


def test_importing_loads_no_weights_and_starts_no_thread() -> None:
    modules = ", ".join(n for n in map(name_of, MODULES) if n not in ("app", "demo.__main__"))
    code = (
        "import threading, time\n"
        f"import {modules}\n"
        "from demo.registry import default_registry\n"
        "ours = [t.name for t in threading.enumerate() if t.name.startswith(('load', 'hub'))]\n"
        "assert not ours, ours\n"
        "assert all(default_registry().loaded(k) is None for k in ('xxs', 'xs', 's'))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
