"""Show which layers take the time of a forward pass, by OpenVINO's own counters.

python -m benchmarks.layers [--side N] [--rounds N]
"""

import argparse
from collections import defaultdict

import numpy as np

from benchmarks.ours import load_bundled
from benchmarks.timing import processor_name
from demo.cpus import usable_cpus
from demo.framing import DEFAULT_SIDE
from demo.models.engines.openvino import OpenVinoEngine
from demo.variants import VARIANTS

_KINDS = {
    "Subgraph": "attention and element-wise",
    "Convolution": "convolution",
    "GroupConvolution": "depthwise convolution",
    "FullyConnected": "linear",
    "MVN": "layer norm",
}
"""OpenVINO's types of layers that compute; all others only move or convert values."""


def measure_layers(engine: OpenVinoEngine, side: int, rounds: int) -> dict[str, float]:
    """Run a network on noise; give the median time in ms by kind of layer, the longest first."""
    request = engine.compile_for(side, side, PERF_COUNT=True)
    values = np.random.default_rng(0).random((1, side, side, 3), dtype=np.float32)
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        request.infer({0: values})
        spent: dict[str, float] = defaultdict(float)
        for layer in request.profiling_info:
            kind = _KINDS.get(layer.node_type, "moving values")
            spent[kind] += layer.real_time.total_seconds() * 1000
        for kind, ms in spent.items():
            times[kind].append(ms)
    medians = {kind: float(np.median(each)) for kind, each in times.items()}
    return dict(sorted(medians.items(), key=lambda item: -item[1]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("--side", type=int, default=DEFAULT_SIDE)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print(f"{processor_name()}, {usable_cpus()} CPUs, side {options.side}")
    for key in VARIANTS:
        model = load_bundled(key)
        for engine in (model.engine, model.bf16_engine):
            if not isinstance(engine, OpenVinoEngine):
                continue
            layers = measure_layers(engine, options.side, options.rounds)
            total = sum(layers.values())
            shares = ", ".join(f"{kind} {ms / total:.0%}" for kind, ms in layers.items())
            print(f"{key.upper()} in {engine.precision}: {total:.0f} ms: {shares}")


if __name__ == "__main__":
    main()
