"""Measure how the throughput of `segment` depends on concurrent callers and on the image's size.

python -m benchmarks.scaling [--variant xxs] [--seconds N]
"""

import argparse
import threading
import time
from collections.abc import Callable

import numpy as np

from benchmarks.ours import make_photograph, our_path
from demo.variants import VARIANTS

CALLERS = (1, 2, 4, 8)
SIZES = ((240, 320), (480, 640), (1080, 1920), (3000, 4000), (6250, 8000))


def call_together(call: Callable[[], object], callers: int, seconds: float) -> list[list[float]]:
    """Call repeatedly from several threads; give the seconds of each call, by caller."""
    taken: list[list[float]] = [[] for _ in range(callers)]
    until = time.perf_counter() + seconds

    def run(mine: list[float]) -> None:
        while (started := time.perf_counter()) < until:
            call()
            mine.append(time.perf_counter() - started)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def print_callers(call: Callable[[], object], seconds: float, rounds: int = 3) -> None:
    """Print medians over rounds; each round tries every number of callers."""
    rates: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    shares: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    waits: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    for _ in range(rounds):
        for callers in CALLERS:
            started = time.perf_counter()
            taken = call_together(call, callers, seconds)
            elapsed = time.perf_counter() - started
            counts = [len(mine) for mine in taken]
            rates[callers].append(sum(counts) / elapsed)
            shares[callers].append(min(counts) / max(counts))
            waits[callers].append(max(max(mine, default=0.0) for mine in taken) * 1000)
    print("| callers | images/s | against one caller | fewest / most by caller | longest wait ms |")
    print("|---|---|---|---|---|")
    alone = float(np.median(rates[1]))
    for callers in CALLERS:
        rate = float(np.median(rates[callers]))
        print(
            f"| {callers} | {rate:.1f} | {rate / alone:.2f} "
            f"| {np.median(shares[callers]):.2f} | {np.median(waits[callers]):.0f} |"
        )


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--variant", choices=list(VARIANTS), default="xxs")
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    run = our_path(options.variant)
    image = make_photograph((480, 640))
    run(image)
    print_callers(lambda: run(image), options.seconds)
    print("\n| image | images/s | ms |\n|---|---|---|")
    for image_hw in SIZES:
        photograph = make_photograph(image_hw)
        times = sorted(_seconds(lambda: run(photograph)) for _ in range(7))  # noqa: B023
        print(f"| {image_hw[1]}×{image_hw[0]} | {1 / times[3]:.1f} | {times[3] * 1000:.0f} |")


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
