"""Compare our time from an image in memory to a class map of its size with that of transformers.

python -m benchmarks.latency [--rounds N] [--json FILE]

Where the processor computes in bf16, ours is also measured in that. The share of the machine's rate
is that of its highest f32 rate, so that in bf16 it may be above 100 %; in f32 it may not.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ours import load_bundled, make_photograph
from benchmarks.peak_memory import measure
from benchmarks.peak_rate import measure_peak
from benchmarks.peers import PEERS, reference_model, transformers_path
from benchmarks.timing import interleave, processor_name
from demo.cpus import usable_cpus
from demo.inference import segment
from demo.variants import VARIANTS

SIZES = ((480, 640), (1080, 1920), (3000, 4000))
GFLOP = {"xxs": 7.9, "xs": 14.8, "s": 27.4}
"""The GFLOP of one forward pass at 512×512, by counting."""


@dataclass(frozen=True)
class Row:
    """One variant and size against one peer; times are medians in milliseconds.

    Attributes:
        ratio: peer_ms / ours_ms.
        agreement: fraction of pixels on which ours and transformers' path agree when both show the
            network the whole image.
        precision: what our network computes in: f32 or bf16; the peers compute in f32.
        forward_ratio: transformers' forward pass at 512×512 over ours.
        bf16_ratio: for bf16, our forward pass in f32 over that in bf16; else None.
        peak_fraction: fraction of the machine's highest f32 rate that our forward pass reaches.
        network_fraction: fraction of our time that is the forward pass.
        peer_peak_mb, ours_peak_mb: peak memory in MiB of a process that runs only this path.
        ours_above_mb: memory in MiB that our run needs above the loaded network and image.
    """

    variant: str
    weights: str
    precision: str
    image_hw: tuple[int, int]
    peer: str
    peer_ms: float
    ours_ms: float
    ratio: float
    agreement: float
    forward_ratio: float
    bf16_ratio: float | None
    peak_fraction: float
    network_fraction: float
    peer_peak_mb: float
    ours_peak_mb: float
    ours_above_mb: float


def measure_variant(key: str, rounds: int, memory: bool) -> list[Row]:
    """Measure all sizes, precisions and peers for one variant; print each row once it is known."""
    model = load_bundled(key)
    ours = {"f32": model} | ({"bf16": model.fast} if model.bf16_engine else {})
    peers = {name: build(key) for name, build in PEERS.items()}
    squashed = transformers_path(key, squash=True)
    reference = reference_model(key)
    values = np.random.default_rng(0).random((1, 3, 512, 512), dtype=np.float32)

    def reference_forward() -> None:
        with torch.inference_mode():
            reference(pixel_values=torch.from_numpy(values))

    rows = []
    for image_hw in SIZES:
        image = make_photograph(image_hw)
        calls: dict[str, Callable[[], Any]] = {
            name: partial(path, image) for name, path in peers.items()
        }
        calls["their forward"] = reference_forward
        for precision, each in ours.items():
            calls[precision] = partial(segment, image, each)
            calls[f"{precision} forward"] = partial(each.engine, values)
        times = interleave(calls, rounds)
        peak = measure_peak()
        expected = squashed(image)
        for precision, each in ours.items():
            agreement = float((segment(image, each).class_map == expected).mean())
            shared = _summarise(key, precision, image_hw, times, peak)
            rows += _compare(shared | {"agreement": agreement}, times, memory)
    return rows


def _summarise(
    key: str, precision: str, image_hw: tuple[int, int], times: dict[str, list[float]], peak: float
) -> dict[str, Any]:
    """Compute what a variant's rows in one precision and size share, whichever the peer."""
    forward = times[f"{precision} forward"]
    is_bf16 = precision == "bf16"
    return {
        "variant": key,
        "weights": "bundled",
        "precision": precision,
        "image_hw": image_hw,
        "ours_ms": float(np.median(times[precision])),
        "forward_ratio": _median_ratio(times["their forward"], forward),
        "bf16_ratio": _median_ratio(times["f32 forward"], forward) if is_bf16 else None,
        "peak_fraction": _share_of_peak(key, precision, forward, peak),
        "network_fraction": _median_ratio(forward, times[precision]),
    }


def _compare(shared: dict[str, Any], times: dict[str, list[float]], memory: bool) -> list[Row]:
    """Compare ours with each peer, print the rows, and measure memory in f32 if asked."""
    precision = shared["precision"]
    place = shared["variant"], shared["image_hw"]
    measures = memory and precision == "f32"
    ours_peak, ours_above = measure_memory("ours", *place) if measures else (0.0, 0.0)
    rows = []
    for peer in PEERS:
        row = Row(
            **shared,
            peer=peer,
            peer_ms=float(np.median(times[peer])),
            ratio=_median_ratio(times[peer], times[precision]),
            peer_peak_mb=measure_memory(peer, *place)[0] if measures else 0.0,
            ours_peak_mb=ours_peak,
            ours_above_mb=ours_above,
        )
        print_row(row)
        rows.append(row)
    return rows


def _share_of_peak(key: str, precision: str, forward_ms: list[float], peak: float) -> float:
    """Compute which fraction of the peak rate, in GFLOP/s, the forward pass reaches.

    Raises:
        RuntimeError: if that is more than all of it in f32: then the peak is wrong.
    """
    share = GFLOP[key] / float(np.median(forward_ms)) * 1000 / peak
    if precision == "f32" and share > 1:
        raise RuntimeError(
            f"The forward pass reaches {share:.0%} of the highest measured rate. That rate is "
            "wrong; measure again on a machine that does nothing else."
        )
    return share


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
        f"| {row.variant.upper()} | {row.precision} | {width}×{height} | {row.peer} "
        f"| {row.peer_ms:.0f} | {row.ours_ms:.0f} | {row.ratio:.1f} | {row.forward_ratio:.1f} "
        f"| {f'{row.bf16_ratio:.2f}' if row.bf16_ratio else ''} "
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
    print(f"{processor_name()}, {usable_cpus()} CPUs, at most {measure_peak():.0f} GFLOP/s in f32")
    print(
        "| variant | precision | image | peer | peer ms | ours ms | ratio | forward ratio "
        "| f32 over bf16 | network's share | of peak rate | agreement | peer MiB | ours MiB "
        "| ours above MiB |"
    )
    print("|" + "---|" * 15)
    rows = []
    for key in options.variant or VARIANTS:
        rows += measure_variant(key, options.rounds, options.memory)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
