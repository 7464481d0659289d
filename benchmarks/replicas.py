"""Compare the networks on Ray's replicas, of one CPU each, with the local engine.

    python -m benchmarks.replicas [--json FILE] [--rounds 3] [--seconds 6]

It needs the environment that `scripts/install requirements-ray.txt .venv-ray` makes, and two CPUs.
Throughput is that of four callers with MobileViT-S at side 512. What a call of MobileViT-XXS takes
more than the forward pass, which the replica times, is the median of 40. Live view has one frame
under way at a time, and both engines answer in turns.
"""

import argparse
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from benchmarks.live_sessions import encode_frame
from benchmarks.ours import make_photograph
from benchmarks.scaling import call_together
from benchmarks.timing import interleave, processor_name
from demo.framing import to_pixel_values
from demo.live import LiveSession
from demo.models.checkpoint import Checkpoint
from demo.models.engines.choice import load_engines
from demo.models.engines.contract import Engine
from demo.models.engines.ray import Cluster, connect
from demo.models.engines.wire import (
    PRECISION,
    SHAPE,
    WEIGHTS,
    decode_logits,
    encode_pixels,
)
from demo.models.sources import find_bundled
from demo.variants import get_variant
from tests.support.cluster import Machine
from tests.support.server import free_port

CALLERS = 4
SIDES = (256, 512)
LARGE, SMALL = "s", "xxs"


class Row(TypedDict):
    """One line of the JSON file; overhead_ms is None for the local engine."""

    engine: str
    replicas: int
    side: int
    images_per_s: float
    overhead_ms: float | None


Figures = dict[str, list[float]]


class Served(NamedTuple):
    """Where replicas are asked."""

    address: str

    def engine_of(self, key: str) -> Engine:
        """Give the engine of a variant."""
        variant, checkpoint = get_variant(key), checkpoint_of(key)
        return connect((self.address,), checkpoint, variant, lambda *_: None, None)[0]


def checkpoint_of(key: str) -> Checkpoint:
    """Find the bundled checkpoint of a variant."""
    checkpoint = find_bundled(get_variant(key))
    assert checkpoint is not None, f"{key} is not bundled"
    return checkpoint


def local_engine(key: str, threads: int) -> Engine:
    """Load the engine of this machine and compile it for all sides with some threads."""
    os.environ["CPU_CORES"] = str(threads)
    engine = load_engines(checkpoint_of(key), get_variant(key), lambda *_: None).engine
    for side in SIDES:
        engine(values_of(side))
    del os.environ["CPU_CORES"]
    return engine


def values_of(side: int) -> NDArray[np.float32]:
    """Make pixel values of a square photograph."""
    return to_pixel_values(make_photograph((side, side)))


@contextlib.contextmanager
def serving(replicas: int) -> Iterator["Served"]:
    """Run a cluster with so many replicas of both variants."""
    port, count = free_port(), str(replicas)
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(
            Path(folder) / "log.txt",
            *("--variant", LARGE, "--variant", SMALL, "--least", count, "--most", count),
            *("--use-cpus", str(2 * replicas), "--port", str(port)),
            *("--head-port", str(free_port())),
            port=port,
        )
        with machine:
            yield Served(machine.address)


def throughput(engine: Engine, seconds: float) -> float:
    """Count the images per second of several callers."""
    values = values_of(512)
    call_together(lambda: engine(values), CALLERS, 1.0)
    taken = call_together(lambda: engine(values), CALLERS, seconds)
    return sum(map(len, taken)) / max(sum(mine) for mine in taken)


def measure_calls(address: str, figures: Figures) -> None:
    """Note how many ms a call takes more than the forward pass, as the replica timed it."""
    cluster, weights = Cluster((address,)), checkpoint_of(SMALL).sha256
    for side in SIDES:
        more, values = [], values_of(side)
        for _ in range(40):
            started = time.perf_counter()
            shape, body = encode_pixels(values)
            headers = {SHAPE: shape, WEIGHTS: weights, PRECISION: "f32"}
            answer = cluster.ask("POST", f"/{SMALL}", body, headers)
            decode_logits(answer.headers[SHAPE], answer.body)
            elapsed_ms = (time.perf_counter() - started) * 1000
            more.append(elapsed_ms - float(answer.headers["Server-Timing"].partition("=")[2]))
        figures.setdefault(f"overhead {side}", []).append(float(np.median(more)))


def compare_live(local: Engine, remote: Engine, figures: Figures) -> None:
    """Note the rates of live view, one frame at a time, in turns."""
    jpeg = encode_frame(256)
    here, elsewhere = LiveSession(local), LiveSession(remote)
    calls = {"local": lambda: here.answer(jpeg), "ray": lambda: elsewhere.answer(jpeg)}
    times = interleave(calls, 40)
    for name, each in times.items():
        figures.setdefault(f"live {name}", []).append(1000 / float(np.median(each)))


def main() -> None:
    """Measure in rounds, print the medians, and write the rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicas", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    local = {threads: local_engine(LARGE, threads) for threads in (1, 2)}
    small = local_engine(SMALL, 1)
    figures: Figures = {}
    for _ in range(options.rounds):
        for replicas in (1, 2):
            with serving(replicas) as cluster:
                rate = throughput(cluster.engine_of(LARGE), options.seconds)
                figures.setdefault(f"ray {replicas}", []).append(rate)
                if replicas == 1:
                    measure_calls(cluster.address, figures)
                    compare_live(small, cluster.engine_of(SMALL), figures)
            rate = throughput(local[replicas], options.seconds)
            figures.setdefault(f"local {replicas}", []).append(rate)
    medians = {name: float(np.median(each)) for name, each in figures.items()}
    print_table(medians)
    if options.json:
        options.json.write_text(json.dumps(build_rows(medians), indent=2) + "\n")


def print_table(medians: dict[str, float]) -> None:
    """Print what was measured, and the ratios."""
    print(processor_name())
    print("| engine | CPUs | S at 512, images/s | against one |\n|---|---|---|---|")
    for engine, count in (("local", 1), ("local", 2), ("ray", 1), ("ray", 2)):
        rate = medians[f"{engine} {count}"]
        print(f"| {engine} | {count} | {rate:.2f} | {rate / medians[f'{engine} 1']:.2f} |")
    print("\n| XXS at side | a call takes more, ms |\n|---|---|")
    for side in SIDES:
        print(f"| {side} | {medians[f'overhead {side}']:.1f} |")
    ray, local = medians["live ray"], medians["live local"]
    print(f"\nLive at 256 with one CPU: {ray:.1f} of {local:.1f} results/s, {ray / local:.2f}")


def build_rows(medians: dict[str, float]) -> list[Row]:
    """Give the rows of the JSON file: throughput of S at 512, and live view with XXS at 256."""
    rows: list[Row] = [
        {
            "engine": engine,
            "replicas": count,
            "side": 512,
            "images_per_s": medians[f"{engine} {count}"],
            "overhead_ms": medians["overhead 512"] if engine == "ray" else None,
        }
        for engine in ("local", "ray")
        for count in (1, 2)
    ]
    for engine in ("local", "ray"):
        overhead = medians["overhead 256"] if engine == "ray" else None
        rate = medians[f"live {engine}"]
        rows.append(
            {
                "engine": engine,
                "replicas": 1,
                "side": 256,
                "images_per_s": rate,
                "overhead_ms": overhead,
            }
        )
    return rows


if __name__ == "__main__":
    main()
