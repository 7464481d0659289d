"""Measure the highest f32 rate that a library reaches on this machine.

python -m benchmarks.peak_rate
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import openvino
import openvino.opset15 as ops
import torch

from benchmarks.timing import interleave
from demo.cpus import usable_cpus

_SIDES = (512, 1024, 2048)
"""Sides of the square matrices whose products are timed."""

_CONVOLUTIONS = ((128, 64), (256, 32), (320, 64))
"""Channels, and side in pixels, of the 3×3 convolutions that are timed."""


def measure_rates(rounds: int = 5) -> dict[str, float]:
    """Time matrix products and 3×3 convolutions in PyTorch and OpenVINO, in turn.

    Returns:
        What ran -> GFLOP/s of its fastest run.
    """
    torch.set_num_threads(usable_cpus())
    runs = {name: (flop, run) for name, flop, run in [*_products(), *_convolutions()]}
    with torch.inference_mode():
        times = interleave({name: run for name, (_, run) in runs.items()}, rounds)
    return {name: flop / min(times[name]) / 1e6 for name, (flop, _) in runs.items()}


def measure_peak(rounds: int = 5) -> float:
    """Give the best of `measure_rates`, in GFLOP/s."""
    return max(measure_rates(rounds).values())


def _products() -> Iterator[tuple[str, float, Callable[[], object]]]:
    for side in _SIDES:
        a, b = torch.rand(side, side), torch.rand(side, side)
        name = f"product of side {side}"
        yield f"PyTorch, {name}", 2 * side**3, partial(torch.matmul, a, b)
        given = ops.parameter([side, side], np.float32)
        graph = openvino.Model([ops.matmul(given, ops.constant(b.numpy()), False, False)], [given])
        yield f"OpenVINO, {name}", 2 * side**3, _compile(graph, a.numpy())


def _convolutions() -> Iterator[tuple[str, float, Callable[[], object]]]:
    for channels, side in _CONVOLUTIONS:
        x, w = torch.rand(1, channels, side, side), torch.rand(channels, channels, 3, 3)
        flop = 2 * 9 * channels**2 * side**2
        name = f"3×3 convolution of {channels} channels at side {side}"
        yield f"PyTorch, {name}", flop, partial(torch.nn.functional.conv2d, x, w, padding=1)
        given = ops.parameter([1, channels, side, side], np.float32)
        pads = [1, 1], [1, 1], [1, 1], [1, 1]
        graph = openvino.Model([ops.convolution(given, ops.constant(w.numpy()), *pads)], [given])
        yield f"OpenVINO, {name}", flop, _compile(graph, x.numpy())


def _compile(graph: openvino.Model, value: np.ndarray) -> Callable[[], object]:
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": usable_cpus()}
    request = openvino.Core().compile_model(graph, "CPU", settings).create_infer_request()
    return lambda: request.infer({0: value}, share_inputs=True)


def main() -> None:
    """Measure and print."""
    for name, rate in measure_rates().items():
        print(f"{rate:6.0f} GFLOP/s  {name}")


if __name__ == "__main__":
    main()
