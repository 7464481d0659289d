"""Compare the live view of the page without a server with that of the app, in one run.

    python -m benchmarks.browser [--seconds N] [--rounds N] [--json FILE]
    python -m benchmarks.browser --soak 10

All use the same headless Chromium, the same fake camera (see benchmarks.live) and XXS. In the
browser the network runs with as many threads as there are CPUs, at most four, and with one, which
is what a server without isolation headers leaves. Before that, the first visit is measured: from
opening the page to its first result, with an empty cache, and the bytes of each file. With --soak,
the page without a server runs alone for so many minutes; its memory is printed for each minute. The
script needs Chromium and the packages that scripts/site installs.
"""

import argparse
import json
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.live import open_page, run_ours, write_video
from demo.cpus import usable_cpus
from demo.site import build_site
from tests.support.browser import launch_chromium
from tests.support.server import run_app
from tests.support.site import served

MOST_THREADS = 4
"""As demo/ui/browser/app.js has it."""

MEMORY = "async () => (await performance.measureUserAgentSpecificMemory()).bytes"
"""JavaScript's and WebAssembly's together; Chromium does not tell them apart."""


@dataclass(frozen=True)
class Row:
    """Medians over rounds; ages in ms. ``where`` is ``browser`` or ``server``."""

    where: str
    side: int
    threads: int
    results_per_s: float
    age_ms_p50: float
    age_ms_p95: float


def wait_for_result(page: Page) -> None:
    """Wait for the result that the page shows by itself."""
    page.locator("#status", has_text="in this browser").wait_for(timeout=120_000)


def measure_first_visit(browser: Browser, site: Path) -> None:
    """Print how long the first result takes with an empty cache, and the bytes of each file."""
    with served(site, is_isolated=True) as address:
        page = open_page(browser)
        sizes: dict[str, int] = {}
        page.context.on(
            "response",
            lambda response: sizes.update(
                {response.url: int(response.headers.get("content-length", 0))}
            ),
        )
        started = time.perf_counter()
        page.goto(address)
        wait_for_result(page)
        took_s = time.perf_counter() - started
        page.context.close()
    sizes = {url: size for url, size in sizes.items() if url.startswith(address)}  # no blob: URLs
    print(f"First visit: a result after {took_s:.1f} s, {sum(sizes.values()) / 1e6:.1f} MB:")
    for url, size in sorted(sizes.items(), key=lambda item: -item[1])[:8]:
        print(f"  {size / 1000:9.0f} kB  {url.removeprefix(address)}")
    rest = sorted(sizes.values())[:-8]
    print(f"  {sum(rest) / 1000:9.0f} kB  {len(rest)} others")


def measure(browser: Browser, address: str, side: int, seconds: float) -> list[float]:
    """Run the live view of either page; give the ages of its results in ms."""
    page = open_page(browser)
    ages, _ = run_ours(page, address, side, seconds)
    page.context.close()
    return ages


def soak(browser: Browser, site: Path, minutes: int) -> None:
    """Print the memory of the page without a server for each minute of live view."""
    with served(site, is_isolated=True) as address:
        page = open_page(browser)
        page.goto(address)
        wait_for_result(page)
        page.get_by_role("tab", name="Live").click()
        page.get_by_role("button", name="Start the camera").click()
        for minute in range(1, minutes + 1):
            page.wait_for_timeout(60_000)
            print(f"minute {minute}: {page.evaluate(MEMORY) / 1e6:.0f} MB")
        page.context.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browser", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=int, metavar="MINUTES", default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        build_site(folder / "site")
        video = write_video(folder / "video.y4m")
        browser = launch_chromium(playwright, f"--use-file-for-fake-video-capture={video}")
        if options.soak:
            soak(browser, folder / "site", options.soak)
            return
        measure_first_visit(browser, folder / "site")
        rows = compare(browser, folder, options.rounds, options.seconds)
        browser.close()
    print("\n| | side | threads | results/s | age ms, median | age ms, 95 % |")
    print("|" + "---|" * 6)
    for row in rows:
        print(
            f"| {row.where} | {row.side} | {row.threads} | {row.results_per_s:.1f} "
            f"| {row.age_ms_p50:.0f} | {row.age_ms_p95:.0f} |"
        )
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def compare(browser: Browser, folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Measure all ways in turn, in each of several rounds."""
    threads = min(usable_cpus(), MOST_THREADS)
    found: dict[tuple[str, int, int], list[list[float]]] = defaultdict(list)
    for _ in range(rounds):
        for side in (256, 512):
            for count, is_isolated in ((threads, True), (1, False)):
                with served(folder / "site", is_isolated=is_isolated) as address:
                    ages = measure(browser, address, side, seconds)
                found["browser", side, count].append(ages)
            with run_app(folder, HF_HUB_OFFLINE="1") as address:
                ages = measure(browser, address, side, seconds)
            found["server", side, usable_cpus()].append(ages)
    return [
        Row(
            *key,
            float(np.median([len(ages) / seconds for ages in each])),
            float(np.median([np.percentile(ages, 50) for ages in each if ages])),
            float(np.median([np.percentile(ages, 95) for ages in each if ages])),
        )
        for key, each in found.items()
    ]


if __name__ == "__main__":
    main()
