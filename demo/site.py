"""The page without a server, as a folder that any static file server serves.

It is built by scripts/site, which is ``python -m demo.site [--serve] [FOLDER]``.
"""

import argparse
import functools
import hashlib
import html
import http.server
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from demo.annotations import encode_label_studio_config, encode_yolo_data
from demo.batch import MAX_BYTES, MAX_IMAGES, SUFFIXES
from demo.classes import VOC, ClassSet
from demo.errors import DemoError
from demo.exports import FILE_NOTES, describe_licence, encode_labelmap
from demo.models.loading import load_checkpoint
from demo.models.onnx_export import ExportedNetwork, export_onnx
from demo.models.registry import default_registry
from demo.ui.examples import EXAMPLES_FOLDER, usable_examples
from demo.variants import VARIANTS, own_variant
from demo.web.built_site import FOLDER, ISOLATION

ROOT = Path(__file__).parent.parent
_BROWSER, _VIEWER = ROOT / "demo" / "ui" / "browser", ROOT / "demo" / "ui" / "viewer"
_PACKAGES = ROOT / "node_modules"
_RUNTIME = _PACKAGES / "onnxruntime-web" / "dist"

_PARTS = ("picker", "viewer", "live", "comparison")
"""The parts of the Gradio page whose HTML and style are put into this one."""

_STYLES = (*_PARTS, "badge", "batch", "download", "keyboard")

_FIRST = "xxs"
"""The variant to begin with: the smallest download."""

_MOST_NAMED = 8
"""Most classes of an own model that the page's first sentence names."""

OnStep = Callable[[str], None]
"""Called with a sentence before each step."""


class SiteNotBuilt(DemoError):
    """The site could not be built; the message says what to do."""


def build_site(
    folder: Path, on_step: OnStep = lambda sentence: None, checkpoint: Path | None = None
) -> None:
    """Make the site in a folder, whose content of an earlier build is replaced.

    Args:
        folder: new, empty, or made by an earlier build.
        on_step: told what is being done.
        checkpoint: folder of a model with classes of its own, which the site then has instead of
            XXS, XS and S.

    Raises:
        SiteNotBuilt: if the folder holds something else, or the packages of npm are missing.
        WeightsUnavailable: if a variant has no usable weights.
    """
    _clear(folder)
    variants = list(VARIANTS.values())
    if checkpoint is not None:
        variants = [own_variant(checkpoint.resolve().name, str(checkpoint))]
    networks, classes = {}, VOC
    for variant in variants:
        on_step(f"Exporting {variant.label}")
        network = export_onnx(variant, in_fp16=True)
        networks[variant.key], classes = _describe_network(network, folder), network.classes
    _copy_page(folder, classes)
    on_step("Trying the examples")
    model = load_checkpoint(checkpoint) if checkpoint else default_registry().get(_FIRST)
    examples = usable_examples.infos(model)
    (folder / "examples").mkdir()
    for example in examples:
        shutil.copy(EXAMPLES_FOLDER / f"{example['name']}.jpg", folder / "examples")
    site = {
        "classes": classes.infos,
        "examples": examples,
        "first": variants[0].key,
        "networks": networks,
        "runtime": _copy_runtime(folder),
        "packages": _copy_packages(folder),
        "notes": FILE_NOTES,
        "groups": [each.group for each in classes.classes],
        "fixed": {
            "labelmap.txt": encode_labelmap(classes).decode(),
            "label-studio.xml": encode_label_studio_config(classes).decode(),
            "yolo/data.yaml": encode_yolo_data(classes).decode(),
        },
        "batch": {"images": MAX_IMAGES, "bytes": MAX_BYTES, "suffixes": sorted(SUFFIXES)},
        "versions": {"onnxruntime-web": _package("onnxruntime-web")["version"]},
    }
    _write_json(folder / "site.json", site)
    _write_texts(folder, _say_found(classes))
    _write_json(folder / "files.json", _list_files(folder))


def _list_files(folder: Path) -> dict[str, list[str]]:
    """List what the service worker fetches at once, and what only when it is needed."""
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    later = [name for name in names if name.startswith(("networks/", "runtime/"))]
    page = [name for name in names if name not in (*later, "service_worker.js")]
    return {"page": page, "later": later}


def serve_site(folder: Path, port: int) -> http.server.ThreadingHTTPServer:
    """Serve the site on loopback with the headers that let it use several threads.

    Args:
        folder: the built site.
        port: 0 for any free one.
    """
    handler = functools.partial(_IsolatedHandler, directory=str(folder))
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


class _IsolatedHandler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        for name, value in ISOLATION.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


def _clear(folder: Path) -> None:
    if not _RUNTIME.is_dir():
        raise SiteNotBuilt("The packages of npm are missing. Build the site with scripts/site.")
    if folder.exists():
        is_ours = folder.is_dir() and (
            (folder / "site.json").is_file() or not any(folder.iterdir())
        )
        if not is_ours:
            raise SiteNotBuilt(f"{folder} holds something else. Choose a new or an empty folder.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _say_found(classes: ClassSet) -> str:
    """Say what the networks find, as the page's first sentence does."""
    if classes is VOC:
        return "people, animals, vehicles and furniture"
    names = [name for i, name in enumerate(classes.names) if not classes.is_background(i)]
    return ", ".join([*names[:_MOST_NAMED], *(["and more"] if names[_MOST_NAMED:] else [])])


def _copy_page(folder: Path, classes: ClassSet) -> None:
    for name, source in {"browser": _BROWSER, "viewer": _VIEWER}.items():
        (folder / name).mkdir()
        for file in source.iterdir():
            if file.suffix in (".js", ".css") and file.name != "service_worker.js":
                shutil.copy(file, folder / name)
    # A service worker serves the folder that it lies in.
    shutil.copy(_BROWSER / "service_worker.js", folder)
    for name in ("manifest.webmanifest", "icon.svg"):
        shutil.copy(_BROWSER / name, folder)
    page = (_BROWSER / "index.html").read_text(encoding="utf-8")
    styles = [f'<link rel="stylesheet" href="viewer/{name}.css">' for name in _STYLES]
    page = page.replace("<!-- styles -->", "\n".join(styles))
    page = page.replace("<!-- finds -->", html.escape(_say_found(classes)))
    for part in _PARTS:
        content = (_VIEWER / f"{part}.html").read_text(encoding="utf-8")
        page = page.replace(f"<!-- {part} -->", content)
    (folder / "index.html").write_text(page, encoding="utf-8")


def _copy_runtime(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Copy the runtime for the CPU and those for the GPU, see demo/ui/browser/site.js."""
    builds = {"cpu": ("wasm", ""), "gpu": ("webgpu", ".asyncify"), "suspending": ("jspi", ".jspi")}
    return {
        build: {
            role: _write_hashed(folder / "runtime" / name, (_RUNTIME / name).read_bytes())
            for role, name in {
                "module": f"ort.{module}.min.mjs",
                "loader": f"ort-wasm-simd-threaded{wasm}.mjs",
                "wasm": f"ort-wasm-simd-threaded{wasm}.wasm",
            }.items()
        }
        for build, (module, wasm) in builds.items()
    }


def _copy_packages(folder: Path) -> dict[str, str]:
    """Copy the packages that write PNG and ZIP, and let them find each other.

    They import each other by name, which browsers allow only on the page itself.
    """
    starts = {
        "fast-png": "fast-png/lib/index.js",
        "iobuffer": "iobuffer/lib/iobuffer.js",
        "fflate": "fflate/esm/browser.js",
    }
    target = folder / "packages"
    for start in starts.values():
        for file in (_PACKAGES / start).parent.rglob("*.js"):
            copied = target / file.relative_to(_PACKAGES)
            up = "../" * len(copied.parent.relative_to(target).parts)
            module = file.read_text(encoding="utf-8")
            for name, path in starts.items():
                module = re.sub(rf"""from ['"]{name}['"]""", f'from "{up}{path}"', module)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_text(module, encoding="utf-8")
    return {"png": f"packages/{starts['fast-png']}", "zip": f"packages/{starts['fflate']}"}


def _package(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_PACKAGES / name / "package.json").read_text("utf-8"))
    return content


def _describe_network(network: ExportedNetwork, folder: Path) -> dict[str, Any]:
    variant, weights = network.variant, network.weights
    return {
        "file": _write_hashed(folder / "networks" / f"{variant.key}.onnx", network.onnx),
        "label": variant.label,
        "short": variant.short_label,
        "parameters": round(variant.parameters / 1e6, 1),
        "accuracy": str(weights.accuracy or ""),
        "badge": weights.badge,
        "weights": f"{weights.describe()} Licence: {describe_licence(weights)}.",
        "source": asdict(weights),
        "licence": describe_licence(weights),
        "readme": "\n".join(
            [
                f"Segmented by: {variant.label} with DeepLabV3, in a browser",
                weights.describe(),
                f"Licence of the weights: {describe_licence(weights)}",
            ]
        ),
    }


def _write_hashed(path: Path, content: bytes) -> dict[str, Any]:
    """Write a file whose name holds its hash, and describe it for demo/ui/browser/downloads.js."""
    digest = hashlib.sha256(content).hexdigest()
    target = path.with_name(f"{path.stem}-{digest[:16]}{path.suffix}")
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(content)
    name = f"{target.parent.name}/{target.name}"
    return {"path": name, "bytes": len(content), "sha256": digest}


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_texts(folder: Path, found: str) -> None:
    headers = "".join(f"  {name.lower()}: {value}\n" for name, value in ISOLATION.items())
    (folder / "README.md").write_text(
        "---\n"
        "title: MobileViT DeepLabV3 Segmentation\n"
        "colorFrom: green\n"
        "colorTo: gray\n"
        "sdk: static\n"
        "license: apache-2.0\n"
        "short_description: Coloured overlays and areas, in the visitor's own browser\n"
        f"custom_headers:\n{headers}"
        "---\n\n"
        f"This page finds {found} in pictures and in the camera's view.\nIt runs "
        "in the browser: no picture leaves the visitor's device, and nothing is fetched from\n"
        "another server. Any server of static files serves this folder; with the headers above,\n"
        "browsers use several threads.\n",
        encoding="utf-8",
    )
    package = _package("onnxruntime-web")
    licences = [
        "This page: Apache-2.0; its text follows.",
        f"runtime/: onnxruntime-web {package['version']}, {package['license']}, by Microsoft; "
        "https://github.com/microsoft/onnxruntime/blob/main/LICENSE",
        *(
            f"packages/{name}: {_package(name)['version']}, {_package(name)['license']}\n"
            + (_PACKAGES / name / "LICENSE").read_text("utf-8")
            for name in ("fast-png", "iobuffer", "fflate")
        ),
        "networks/: the licence of each variant's weights stands on the page, under its badge.",
        "",
        "examples/:",
        (EXAMPLES_FOLDER / "README.md").read_text(encoding="utf-8"),
        (ROOT / "LICENSE").read_text(encoding="utf-8"),
    ]
    (folder / "licences.txt").write_text("\n".join(licences), encoding="utf-8")


def main() -> int:
    """Build the site, and serve it if that is asked; returns the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/site", description="Build the static page.")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=FOLDER, help="where to (default: site/)"
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIR",
        help="folder of a model with classes of its own, instead of XXS, XS and S",
    )
    parser.add_argument("--serve", action="store_true", help="serve it on loopback afterwards")
    parser.add_argument("--port", type=int, default=8000, help="port to serve on (default: 8000)")
    options = parser.parse_args()
    try:
        build_site(
            options.folder,
            lambda sentence: print(f"{sentence} …", file=sys.stderr),
            options.checkpoint,
        )
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in options.folder.rglob("*") if file.is_file())
    print(f"The site is in {options.folder}, {size / 1e6:.1f} MB.")
    if options.serve:
        with serve_site(options.folder, options.port) as server:
            print(f"The page is at http://127.0.0.1:{server.server_port}")
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
