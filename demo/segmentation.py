"""The result of segmenting one image."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.classes import VOC, ClassSet
from demo.framing import Framing
from demo.models.checkpoint import WeightsSource
from demo.variants import Variant

_BLOCK_PIXELS = 4_000_000
"""How many pixels are counted at once: OpenCV's counts are float32, exact up to 16 million."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a checkpoint said about one image.

    Attributes:
        class_map: H×W uint8 class ids, or 255 where the network saw nothing;
            H and W are those of the original image.
        logits: (C, h, w) float32 of the C classes, as the engine gave them.
        framing: where the logits lie in the original image.
        variant: the model that was run.
        weights: where its weights came from.
        elapsed_ms: wall time of framing, network and class map together.
        precision: what the network computed in: ``f32`` or ``bf16``.
        notes: what was ignored when the image was read, one sentence for each thing.
        classes: what the ids mean.

    Raises:
        ValueError: at construction, if the parts do not fit each other.
    """

    class_map: NDArray[np.uint8]
    logits: NDArray[np.float32]
    framing: Framing
    variant: Variant
    weights: WeightsSource
    elapsed_ms: float
    precision: str = "f32"
    notes: tuple[str, ...] = ()
    classes: ClassSet = VOC

    def __post_init__(self) -> None:
        if self.class_map.shape != self.framing.image_hw or self.class_map.dtype != np.uint8:
            raise ValueError(
                f"Expected a uint8 class map of {self.framing.image_hw}, "
                f"got {self.class_map.dtype} of {self.class_map.shape}."
            )
        if self.logits.ndim != 3 or self.logits.shape[0] != len(self.classes):
            raise ValueError(
                f"Expected logits ({len(self.classes)}, h, w), got {self.logits.shape}."
            )
        if not np.isfinite(self.logits).all():
            raise ValueError("Expected finite logits; the checkpoint or the engine is damaged.")
        self.class_map.setflags(write=False)
        self.logits.setflags(write=False)

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width of the original image."""
        return self.framing.image_hw

    @cached_property
    def pixel_counts(self) -> NDArray[np.int64]:
        """(256,) number of pixels of each value of the class map, counted once, in blocks."""
        counts = np.zeros(256, np.int64)
        rows = max(1, _BLOCK_PIXELS // self.class_map.shape[1])
        for top in range(0, len(self.class_map), rows):
            block = self.class_map[top : top + rows]
            counts += cv2.calcHist([block], [0], None, [256], [0, 256]).ravel().astype(np.int64)
        counts.setflags(write=False)
        return counts
