"""Measure how fast the viewer answers in Chromium, and count its requests meanwhile (none).

    python -m benchmarks.viewer [--rounds N]

Times are from the input to the second animation frame after it, when the change is on the screen.
The script needs Chromium and the packages of requirements-dev.txt. Without a GPU, the 2D painter
runs.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.support.browser import launch_chromium
from tests.support.server import run_app

ACT = """async (code) => {
    const viewer = document.querySelector("#viewer .viewer");
    const slide = (name, value) => {
        const slider = viewer.querySelector(`[name=${name}]`);
        slider.value = value;
        slider.dispatchEvent(new Event("input"));
    };
    const point = (x, y) => {
        const stage = viewer.querySelector(".stage");
        const box = stage.getBoundingClientRect();
        const at = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
        stage.dispatchEvent(new PointerEvent("pointermove", { ...at, bubbles: true }));
    };
    const before = performance.now();
    new Function("viewer", "slide", "point", "turn", code)(viewer, slide, point, Math.random());
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - before;
}"""

ACTIONS = {
    "opacity": "slide('opacity', turn)",
    "threshold": "slide('threshold', 0.01 + 0.9 * turn)",
    "before / after": "slide('split', turn)",
    "one class on or off": "viewer.querySelector('.areas button.class').click()",
    "hover": "point(turn, turn)",
    "zoom": "viewer.querySelector(`[data-zoom=${turn < 0.5 ? 'in' : 'out'}]`).click()",
    "confidence view": "viewer.querySelectorAll('.views input')[turn < 0.5 ? 0 : 3].click()",
}


def first_paint_ms(page: Page, name: str) -> float:
    """Measure the ms from a click on an example to its result on the screen."""
    previous = page.locator("#viewer .photo").get_attribute("src") or ""
    started = time.perf_counter()
    page.locator(f"button:has(img[src*='{name}'])").first.click()
    page.wait_for_function(
        """(previous) => {
            const photo = document.querySelector("#viewer .photo");
            return photo?.src && photo.src !== previous && photo.complete;
        }""",
        arg=previous,
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with (
        TemporaryDirectory() as folder,
        run_app(Path(folder), HF_HUB_OFFLINE="1") as address,
        sync_playwright() as playwright,
    ):
        browser = launch_chromium(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.locator("#status", has_text="Ready").wait_for(timeout=90_000)
        paints = [first_paint_ms(page, name) for _ in range(5) for name in ("hopper", "astronaut")]
        print(f"first paint after a click on an example: {np.median(paints):.0f} ms")
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        print("| action | median ms | slowest ms |\n|---|---|---|")
        for name, code in ACTIONS.items():
            times = [page.evaluate(ACT, code) for _ in range(options.rounds)]
            print(f"| {name} | {np.median(times):.0f} | {max(times):.0f} |")
        print(f"requests to the server meanwhile: {len(requests)}")
        browser.close()


if __name__ == "__main__":
    main()
