"""Peak memory of one way from an image to a class map, in its own process.

`python -m benchmarks.peak_memory PATH VARIANT HEIGHT WIDTH` prints two figures in MiB: the peak of
the whole process, and the peak above what it held once the image and the network were loaded and
the network had run on a small image. PATH is `ours` (segment), `page` (segment and what the page is
sent) or the name of a peer.
"""

import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks.ours import Segmenter, make_photograph, our_path, page_path

OURS = {"ours": our_path, "page": page_path}

_PAGE_MIB = resource.getpagesize() / 2**20


def measure(path: str, variant: str, image_hw: tuple[int, int]) -> tuple[float, float]:
    """Give the peak in MiB: of the whole process, and above the loaded image and network."""
    arguments = [path, variant, *map(str, image_hw)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peak_memory", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    whole, above = done.stdout.split()
    return float(whole), float(above)


def _build(name: str, variant: str) -> Segmenter:
    if name in OURS:
        return OURS[name](variant)
    from benchmarks.peers import PEERS  # noqa: PLC0415 what ours does not import must not count

    return PEERS[name](variant)


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MIB


def peak_mib() -> float:
    """Read the peak of this process in MiB; getrusage may include the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Load, run on a small image, then sample the memory during the run on the large one."""
    name, variant, height, width = sys.argv[1:]
    run = _build(name, variant)
    run(make_photograph((64, 64)))
    image = make_photograph((int(height), int(width)))
    before = _resident_mib()
    samples = [before]
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            samples.append(_resident_mib())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    run(image)
    stop.set()
    watcher.join()
    print(f"{peak_mib():.0f} {max(samples) - before:.0f}")


if __name__ == "__main__":
    main()
