"""Measure memory and speed for videos of different length, each in a process of its own.

python -m benchmarks.video [--seconds 10 40 120]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.ours import load_bundled
from benchmarks.peak_memory import peak_mib
from demo.video import segment_video
from tests.support.videos import write_video

RATE, HW = 10, (480, 640)


def run(seconds: int) -> None:
    """Segment one video; print frames per second and the peak memory."""
    with tempfile.TemporaryDirectory() as name:
        video = Path(name) / "video.mp4"
        make = [sys.executable, "-m", "benchmarks.video", "--write", str(video), str(seconds)]
        subprocess.run(make, check=True)
        model = load_bundled("xxs")
        started = time.perf_counter()
        frames = sum(1 for _ in segment_video(video, Path(name) / "o.mp4", model))
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
        write_video(Path(options.write[0]), int(options.write[1]) * RATE, HW)
    elif options.one:
        run(options.one)
    else:
        print("| seconds | frames | frames/s | peak MiB |\n|---|---|---|---|", flush=True)
        for seconds in options.seconds:
            command = [sys.executable, "-m", "benchmarks.video", "--one", str(seconds)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
