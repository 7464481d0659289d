"""Memory and speed of segmenting films of different length, each in a process of its own.

python -m benchmarks.film [--seconds 10 40 120]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.ours import checkpoint_of
from benchmarks.peak_memory import peak_mib
from demo.registry import open_registry
from demo.video import segment_video
from tests.test_video import write_film

RATE, HW = 10, (480, 640)


def run(seconds: int) -> None:
    """Segment one film; prints frames per second and the peak of memory."""
    with tempfile.TemporaryDirectory() as name:
        film = Path(name) / "film.mp4"
        make = [sys.executable, "-m", "benchmarks.film", "--write", str(film), str(seconds)]
        subprocess.run(make, check=True)
        registry = open_registry(checkpoint_of("xxs"))
        registry.get("xxs")
        started = time.perf_counter()
        frames = sum(1 for _ in segment_video(film, Path(name) / "o.mp4", registry=registry))
        rate = frames / (time.perf_counter() - started)
        print(f"| {seconds} | {frames} | {rate:.1f} | {peak_mib():.0f} |", flush=True)


def main() -> None:
    """Measure each length in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, nargs="+", default=[10, 40, 120])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_film(Path(options.write[0]), int(options.write[1]) * RATE, HW)
    elif options.one:
        run(options.one)
    else:
        print("| seconds | frames | frames/s | peak MiB |\n|---|---|---|---|", flush=True)
        for seconds in options.seconds:
            command = [sys.executable, "-m", "benchmarks.film", "--one", str(seconds)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
