"""The result of segmenting one image, and where its weights came from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.classes import CLASS_NAMES
from demo.framing import Framing
from demo.variants import Variant


@dataclass(frozen=True)
class WeightsSource:
    """Where the weights of an engine came from, and what they know.

    Attributes:
        kind: ``local`` (a configured folder), ``hub`` (downloaded or in its cache) or
            ``bundled`` (in this repository).
        name: repository on the Hub, or the folder's name.
        revision: commit on the Hub, or ``sha256:…`` of the file of weights.
        class_names: the classes that the weights were trained on.
        reason: why a source of higher rank was not used; empty if none was passed over.
    """

    kind: str
    name: str
    revision: str
    class_names: tuple[str, ...] = CLASS_NAMES
    reason: str = ""

    def describe(self) -> str:
        """Which weights these are, why not better ones, and what they know."""
        kind = {
            "hub": "from the Hugging Face Hub",
            "local": "from the configured folder",
            "bundled": "bundled with this app",
        }[self.kind]
        reason = f" because {self.reason}" if self.reason else ""
        origin = f"Weights: {self.name} ({self.revision}), {kind}{reason}."
        if self.class_names == CLASS_NAMES:
            return origin
        return f"{origin} They know {' and '.join(self.class_names)} only."


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a checkpoint said about one image.

    Attributes:
        class_map: H×W uint8 class ids in [0, 20], or 255 where the network saw nothing;
            H and W are those of the original image.
        logits: (21, h, w) float32, as the engine gave them.
        framing: where the logits lie in the original image.
        variant: the model that was run.
        weights: where its weights came from.
        elapsed_ms: wall time of framing, network and class map together.

    Raises:
        ValueError: at construction, if the parts do not fit each other.
    """

    class_map: NDArray[np.uint8]
    logits: NDArray[np.float32]
    framing: Framing
    variant: Variant
    weights: WeightsSource
    elapsed_ms: float

    def __post_init__(self) -> None:
        if self.class_map.shape != self.framing.image_hw or self.class_map.dtype != np.uint8:
            raise ValueError(
                f"Expected a uint8 class map of {self.framing.image_hw}, "
                f"got {self.class_map.dtype} of {self.class_map.shape}."
            )
        if self.logits.ndim != 3 or self.logits.shape[0] != len(CLASS_NAMES):
            raise ValueError(f"Expected logits (21, h, w), got {self.logits.shape}.")
        if not np.isfinite(self.logits).all():
            raise ValueError("Expected finite logits; the checkpoint or the engine is damaged.")
        self.class_map.setflags(write=False)
        self.logits.setflags(write=False)

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width of the original image."""
        return self.framing.image_hw
