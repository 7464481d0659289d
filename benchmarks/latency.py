"""Compare our time from an image in memory to a class map of its size with that of transformers.

python -m benchmarks.latency [--rounds N] [--json FILE]
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ours import load_bundled, make_photograph, our_path
from benchmarks.peak_memory import measure
from benchmarks.peers import PEERS, reference_model, transformers_path
from demo.cpus import usable_cpus
from demo.variants import VARIANTS

SIZES = ((480, 640), (1080, 1920), (3000, 4000))
GFLOP = {"xxs": 7.9, "xs": 14.8, "s": 27.4}
"""The GFLOP of one forward pass at 512×512, by counting."""

_MATRIX = 3072


@dataclass(frozen=True)
class Row:
    """One variant and size against one peer; times are medians in milliseconds.

    Attributes:
        ratio: peer_ms / ours_ms.
        agreement: fraction of pixels on which ours and transformers' path agree when both show the
            network the whole image.
        forward_ratio: transformers' forward pass at 512×512 over ours.
        peak_fraction: fraction of the machine's measured f32 rate that our forward pass reaches.
        network_fraction: fraction of our time that is the forward pass.
        peer_peak_mb, ours_peak_mb: peak memory in MiB of a process that runs only this path.
        ours_above_mb: memory in MiB that our run needs above the loaded network and image.
    """

    variant: str
    weights: str
    image_hw: tuple[int, int]
    peer: str
    peer_ms: float
    ours_ms: float
    ratio: float
    agreement: float
    forward_ratio: float
    peak_fraction: float
    network_fraction: float
    peer_peak_mb: float
    ours_peak_mb: float
    ours_above_mb: float


def interleave(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Time each call once a round, in ms, after one round of warming up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if turn:
                times[name].append((time.perf_counter() - started) * 1000)
    return times


def peak_gflops(rounds: int = 9) -> float:
    """Measure the machine's f32 rate in GFLOP/s: the median of large matrix products."""
    torch.set_num_threads(usable_cpus())
    a, b = torch.rand(_MATRIX, _MATRIX), torch.rand(_MATRIX, _MATRIX)
    times = interleave({"product": lambda: a @ b}, rounds)["product"]
    return 2 * _MATRIX**3 / float(np.median(times)) / 1e6


def measure_variant(key: str, rounds: int, memory: bool) -> list[Row]:
    """Measure all sizes and peers for one variant; print each row as soon as it is known."""
    paths = {"ours": our_path(key)} | {name: build(key) for name, build in PEERS.items()}
    squashed = transformers_path(key, squash=True)
    engine = load_bundled(key).engine
    model = reference_model(key)
    values = np.random.default_rng(0).random((1, 3, 512, 512), dtype=np.float32)

    def reference_forward() -> None:
        with torch.inference_mode():
            model(pixel_values=torch.from_numpy(values))

    rows = []
    for image_hw in SIZES:
        image = make_photograph(image_hw)
        calls: dict[str, Callable[[], Any]] = {
            name: partial(path, image) for name, path in paths.items()
        }
        calls["our forward"] = lambda: engine(values)
        calls["their forward"] = reference_forward
        times = interleave(calls, rounds)
        ms = {name: float(np.median(taken)) for name, taken in times.items()}
        agreement = float((paths["ours"](image) == squashed(image)).mean())
        rate = peak_gflops(3)
        ours_peak, ours_above = measure_memory("ours", key, image_hw) if memory else (0.0, 0.0)
        for peer in PEERS:
            rows.append(
                Row(
                    variant=key,
                    weights="bundled",
                    image_hw=image_hw,
                    peer=peer,
                    peer_ms=ms[peer],
                    ours_ms=ms["ours"],
                    ratio=_median_ratio(times[peer], times["ours"]),
                    agreement=agreement,
                    forward_ratio=_median_ratio(times["their forward"], times["our forward"]),
                    peak_fraction=GFLOP[key] / ms["our forward"] * 1000 / rate,
                    network_fraction=ms["our forward"] / ms["ours"],
                    peer_peak_mb=measure_memory(peer, key, image_hw)[0] if memory else 0.0,
                    ours_peak_mb=ours_peak,
                    ours_above_mb=ours_above,
                )
            )
            print_row(rows[-1])
    return rows


def measure_memory(path: str, key: str, image_hw: tuple[int, int]) -> tuple[float, float]:
    """Measure the memory of a path as peak_memory does; give NaN if its process fails."""
    try:
        return measure(path, key, image_hw)
    except subprocess.CalledProcessError as error:
        print(f"The memory of {path} was not measured: {error}\n{error.stderr}", file=sys.stderr)
        return float("nan"), float("nan")


def _median_ratio(peer: list[float], ours: list[float]) -> float:
    """Give the median of the ratios within a round: a drift of the machine's speed cancels out."""
    return float(np.median(np.array(peer) / np.array(ours)))


def print_row(row: Row) -> None:
    """Print one line of the table."""
    height, width = row.image_hw
    print(
        f"| {row.variant.upper()} ({row.weights}) | {width}×{height} | {row.peer} "
        f"| {row.peer_ms:.0f} | {row.ours_ms:.0f} | {row.ratio:.1f} | {row.forward_ratio:.1f} "
        f"| {row.network_fraction:.0%} | {row.peak_fraction:.0%} | {row.agreement:.3%} "
        f"| {row.peer_peak_mb:.0f} | {row.ours_peak_mb:.0f} | {row.ours_above_mb:.0f} |",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--variant", choices=list(VARIANTS), action="append")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {usable_cpus()} CPUs, ", end="")
    print(f"{peak_gflops():.0f} GFLOP/s in f32 matrix products")
    print(
        "| variant (weights) | image | peer | peer ms | ours ms | ratio | forward ratio "
        "| network's share | of peak rate | agreement | peer MiB | ours MiB | ours above MiB |"
    )
    print("|" + "---|" * 13)
    rows = []
    for key in options.variant or VARIANTS:
        rows += measure_variant(key, options.rounds, options.memory)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
