"""The app's own path around a network, finished or still being trained."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demo.class_map import classify_pixels
from demo.framing import frame_pixels, plan_framing, to_pixel_values
from demo.inference import segment
from demo.registry import open_registry
from training.model import read_variant

Segmenter = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
"""H×W×3 uint8 RGB and the side of the network's input -> H×W uint8 class ids, framing whole."""

Network = Callable[[Tensor], Tensor]
"""(B, 3, h, w) float32 pixel values -> (B, 21, h/16, w/16) logits."""


def open_checkpoint(folder: Path) -> Segmenter:
    """The app with the checkpoint of a folder."""
    registry, variant = open_registry(folder), read_variant(folder).key
    return lambda pixels, side: segment(pixels, variant, side=side, registry=registry).class_map


def segmenter_of(network: Network) -> Segmenter:
    """The app's path around a network that is being trained."""

    def classify(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        framing = plan_framing((pixels.shape[0], pixels.shape[1]), "whole", side)
        values = torch.from_numpy(to_pixel_values(frame_pixels(pixels, framing)))
        return classify_pixels(network(values)[0].float().cpu().numpy(), framing)

    return classify
