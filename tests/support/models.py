"""Models and results that need no weights."""

import numpy as np
from numpy.typing import NDArray

from demo.classes import CLASS_NAMES, PALETTE
from demo.framing import plan_framing
from demo.models.checkpoint import WeightsSource
from demo.models.model import Model
from demo.segmentation import Segmentation
from demo.variants import get_variant

FAKE_WEIGHTS = WeightsSource("local", "tests/fake", "sha256:0")


class ColourEngine:
    """Recognises each class by its palette colour, so that a test can paint the expected result.

    The input is BGR. The logit of a class falls with the distance between the mean colour of a
    16×16 block and the colour of the class.
    """

    precision = "f32"

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        _, _, height, width = pixel_values.shape
        blocks = pixel_values[0].reshape(3, height // 16, 16, width // 16, 16).mean(axis=(2, 4))
        colours = PALETTE[: len(CLASS_NAMES), ::-1].astype(np.float32) / 255  # (21, 3) BGR
        distances = np.abs(blocks[None] - colours[:, :, None, None]).sum(axis=1)
        logits: NDArray[np.float32] = (-20 * distances)[None].astype(np.float32)
        return logits


def fake_model(engine: ColourEngine | None = None, variant: str = "s") -> Model:
    """Build a model from an engine and invented weights."""
    return Model(get_variant(variant), engine or ColourEngine(), FAKE_WEIGHTS)


def ignore(fraction: float, sentence: str) -> None:
    """Ignore the progress of a load (an `OnProgress`)."""


def make_segmentation(
    class_map: NDArray[np.uint8], framing: str = "whole", variant: str = "s"
) -> Segmentation:
    """Build a result with the given class map and empty logits."""
    height, width = class_map.shape
    return Segmentation(
        class_map=class_map,
        logits=np.zeros((21, 32, 32), np.float32),
        framing=plan_framing((height, width), framing),
        variant=get_variant(variant),
        weights=FAKE_WEIGHTS,
        elapsed_ms=1.0,
    )
