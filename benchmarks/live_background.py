"""Measure what another background costs the live view: its rate with and without, in one run.

    python -m benchmarks.live_background [--seconds N] [--rounds N]

Headless Chromium shows the live view of XXS at side 256 with the fake camera of benchmarks.live,
with classes in colour and with a blurred background and refined edges in turn.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.live import open_page, write_video
from tests.support.browser import launch_chromium
from tests.support.server import run_app

COUNT = """(ms) => new Promise((resolve) => {
  const live = document.querySelector(".live");
  let count = 0;
  const add = () => count++;
  live.addEventListener("result", add);
  setTimeout(() => { live.removeEventListener("result", add); resolve(count); }, ms);
})"""


def measure(page: Page, is_replaced: bool, seconds: float) -> float:
    """Count the results per second."""
    page.get_by_label("Another background").set_checked(is_replaced)
    page.wait_for_timeout(1000)
    return float(page.evaluate(COUNT, seconds * 1000)) / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_background")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rates: dict[bool, list[float]] = {False: [], True: []}
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        flag = f"--use-file-for-fake-video-capture={write_video(folder / 'video.y4m')}"
        with run_app(folder, HF_HUB_OFFLINE="1") as address:
            page = open_page(launch_chromium(playwright, flag))
            page.goto(address)
            page.get_by_role("tab", name="Live").click()
            page.locator(".live [name=side]").select_option("256")
            page.get_by_role("button", name="Start the camera").click()
            page.locator(".live .stats", has_text="frames/s").wait_for(timeout=60_000)
            for _ in range(options.rounds):
                for is_replaced, found in rates.items():
                    found.append(measure(page, is_replaced, options.seconds))
    without, with_it = (float(np.median(rates[key])) for key in (False, True))
    print(f"classes in colour: {without:.1f} results/s")
    print(f"blurred background, refined edges: {with_it:.1f} results/s, {with_it / without:.2f}")


if __name__ == "__main__":
    main()
