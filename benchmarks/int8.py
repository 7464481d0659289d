"""Compare int8, by post-training quantisation, with f32: person IoU and time.

    pip install nncf==3.4.0
    python -m benchmarks.int8 --folder DIR [--variant xxs] [--rounds 21]

DIR holds the folders of training/voc21.toml. The photographs of people that are held out from
training are the judges; 200 of the others calibrate.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import nncf
import numpy as np
import openvino
import torch

from benchmarks.ours import checkpoint_of
from benchmarks.timing import interleave
from demo.framing import frame_pixels, plan_framing, to_pixel_values
from demo.models.checkpoint import read_checkpoint
from demo.models.engines.openvino import OpenVinoEngine, load_openvino_engine
from demo.variants import VARIANTS, get_variant
from training.measures import class_ious, count_pixels
from training.segmenters import segmenter_of
from training.sources import Item, read_pixels, read_plan

PLAN = Path(__file__).parent.parent / "training" / "voc21.toml"
SIDES = (256, 384, 512)
_CALIBRATION_IMAGES = 200


def quantise(graph: openvino.Model, photographs: Sequence[Item]) -> openvino.Model:
    """Quantise weights and activations, calibrated on photographs at side 512."""
    inputs = []
    for photograph in photographs:
        pixels = read_pixels(photograph.path)
        framing = plan_framing((pixels.shape[0], pixels.shape[1]))
        values = to_pixel_values(frame_pixels(pixels, framing))
        inputs.append(np.ascontiguousarray(values))
    return nncf.quantize(
        graph,
        nncf.Dataset(inputs),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(inputs),
    )


def iou_of(engine: OpenVinoEngine, photographs: Sequence[Item], side: int) -> float:
    """Person IoU at the photographs' own size."""

    def run(values: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(engine(values.numpy()))

    return class_ious(count_pixels(segmenter_of(run), photographs, side))["person"]


def main() -> None:
    """Quantise, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.int8", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--variant", choices=list(VARIANTS), default="xxs")
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    folder = checkpoint_of(options.variant)
    f32 = load_openvino_engine(
        read_checkpoint(folder, "bundled"), get_variant(options.variant), lambda *_: None
    )
    plan = read_plan(PLAN, options.folder)
    people = [item for item in plan.train if item.name.startswith("person/JPEGImages/")]
    calibration = people[::3][:_CALIBRATION_IMAGES]
    int8 = OpenVinoEngine(quantise(f32.graph.clone(), calibration))
    held_out = plan.checks["person"]
    print("| side | f32 ms | int8 ms | ratio | f32 person IoU | int8 person IoU |")
    print("|" + "---|" * 6)
    for side in SIDES:
        values = np.random.default_rng(0).random((1, 3, side, side), dtype=np.float32)
        calls: dict[str, Callable[[], object]] = {
            "f32": partial(f32, values),
            "int8": partial(int8, values),
        }
        times = {name: np.array(ms) for name, ms in interleave(calls, options.rounds).items()}
        ratio = np.median(times["f32"] / times["int8"])
        f32_iou, int8_iou = (iou_of(engine, held_out, side) for engine in (f32, int8))
        print(
            f"| {side} | {np.median(times['f32']):.1f} | {np.median(times['int8']):.1f} "
            f"| {ratio:.2f} | {f32_iou:.4f} | {int8_iou:.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
