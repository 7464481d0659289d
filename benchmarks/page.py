"""Measure the whole way of a visitor in Chromium: the first visit, and a photograph of their own.

    python -m benchmarks.page [--rounds N] [--variant xxs]

The photograph is a JPEG of 4000×3000. "Choose to painted" runs from choosing the file to the second
animation frame after its result is there. Upload and answer are the browser's own times of the
requests. Of the answer, reading, segmenting and encoding are measured in this process, on the same
file with the same functions, one after the other; the rest of the answer is transfer and Gradio.
The first visit is split by who wrote the files. The script needs Chromium and the packages of
requirements-dev.txt.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import PIL.Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.ours import load_bundled, make_photograph
from benchmarks.timing import interleave, processor_name
from demo.cpus import usable_cpus
from demo.image import read_image
from demo.inference import segment
from demo.ui.viewer_value import viewer_value
from demo.variants import VARIANTS
from tests.support.browser import launch_chromium
from tests.support.server import run_app

SIZE_HW = (3000, 4000)
OURS = ("/viewer/", "/examples/", "/queue/data")
"""Parts of addresses at which this app's own files and first result are."""

WATCH = """() => {
    const after = (done) => requestAnimationFrame(() => requestAnimationFrame(done));
    const photo = document.querySelector("#viewer .photo");
    document.querySelector("#picker input[type=file]").addEventListener("change", () => {
        performance.clearResourceTimings();
        window.chosenAt = performance.now();
        const before = photo.src;
        window.painted = new Promise((done) => {
            const look = async () => {
                if (photo.src === before) return requestAnimationFrame(look);
                await photo.decode();
                after(() => done(performance.now()));
            };
            look();
        });
    }, { capture: true });
}"""

READ = """async () => {
    const paintedAt = await window.painted;
    const entries = performance.getEntriesByType("resource");
    const find = (part) => entries.findLast(({ name }) => name.includes(part));
    const [upload, join, data] = ["/upload", "/queue/join", "/queue/data"].map(find);
    return {
        upload: upload.responseEnd - window.chosenAt,
        answer: data.responseEnd - join.startTime,
        total: paintedAt - window.chosenAt,
    };
}"""

LOADED = """() => performance.getEntriesByType("resource").map(
    ({ name, transferSize, duration }) => ({ name, transferSize, duration }))"""


def write_photograph(file: Path) -> Path:
    """Write the astronaut at twelve megapixels, as a camera would."""
    PIL.Image.fromarray(make_photograph(SIZE_HW)).save(file, "JPEG", quality=90)
    return file


def visit(browser: Browser, address: str, key: str) -> tuple[Page, float]:
    """Open the page; give it, and the ms until its first result is painted."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    started = time.perf_counter()
    page.goto(f"{address}/#variant={key}")
    page.locator("#viewer canvas.paint").wait_for(timeout=60_000)
    return page, (time.perf_counter() - started) * 1000


def choose(page: Page, photograph: Path) -> dict[str, float]:
    """Choose a file; give the ms of its upload, of the answer and until it is painted."""
    page.evaluate(WATCH)
    page.locator("#picker input[type=file]").set_input_files(photograph)
    times: dict[str, float] = page.evaluate(READ)
    return times


def time_server(key: str, photograph: Path, rounds: int) -> dict[str, float]:
    """Time the server's steps in this process: medians in ms."""
    model = load_bundled(key)
    image = read_image(photograph)
    segmentation = segment(image, model, framing="auto")
    steps: dict[str, Callable[[], Any]] = {
        "decode": lambda: read_image(photograph),
        "segment": lambda: segment(image, model, framing="auto"),
        "encode": lambda: json.dumps(viewer_value(image, segmentation)),
    }
    times = interleave(steps, rounds)
    return {name: float(np.median(each)) for name, each in times.items()}


def print_visit(files: list[dict[str, Any]]) -> None:
    """Print the bytes of a first visit by who wrote the files, and the largest files."""
    groups: dict[str, list[float]] = defaultdict(list)
    for file in files:
        is_ours = any(part in urlsplit(file["name"]).path for part in OURS)
        groups["this app" if is_ours else "Gradio"].append(file["transferSize"])
    for who, sizes in groups.items():
        print(f"  {who}: {len(sizes)} files, {sum(sizes) / 1000:.0f} kB")
    for file in sorted(files, key=lambda each: -float(each["transferSize"]))[:5]:
        name = urlsplit(file["name"]).path.rpartition("/")[2]
        print(f"    {name}: {file['transferSize'] / 1000:.0f} kB, {file['duration']:.0f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--variant", choices=list(VARIANTS), default="xxs")
    options = parser.parse_args()
    print(f"{processor_name()}, {usable_cpus()} CPUs, which run the browser as well")
    with (
        TemporaryDirectory() as name,
        run_app(Path(name), HF_HUB_OFFLINE="1") as address,
        sync_playwright() as playwright,
    ):
        photograph = write_photograph(Path(name) / "photograph.jpg")
        browser = launch_chromium(playwright)
        visits, chosen, files = [], [], []
        for _ in range(options.rounds + 1):  # the first one loads the network
            page, painted_ms = visit(browser, address, options.variant)
            files = page.evaluate(LOADED)
            visits.append(painted_ms)
            chosen.append(choose(page, photograph))
            page.context.close()
        browser.close()
        steps = time_server(options.variant, photograph, options.rounds)
    print(f"First visit to the first result: {np.median(visits[1:]):.0f} ms")
    print_visit(files)
    times = {part: float(np.median([each[part] for each in chosen[1:]])) for part in chosen[0]}
    total = times["total"]
    parts = {"upload": times["upload"], **steps}
    parts["transfer and Gradio"] = times["answer"] - sum(steps.values())
    parts["hand over and paint"] = total - times["upload"] - times["answer"]
    print(f"Choose a photograph of {SIZE_HW[1]}×{SIZE_HW[0]} to painted: {total:.0f} ms")
    for part, ms in parts.items():
        print(f"  {part}: {ms:.0f} ms, {ms / total:.0%}")


if __name__ == "__main__":
    main()
