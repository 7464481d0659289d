"""The app's own path around a network, finished or still being trained."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demo.framing import frame_pixels, plan_framing, to_pixel_values
from demo.inference import classify, segment
from demo.models.loading import load_folder
from training.model import read_variant

Segmenter = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
"""H×W×3 uint8 RGB and the side of the network's input -> H×W uint8 class ids, framing whole."""

Network = Callable[[Tensor], Tensor]
"""(B, 3, h, w) float32 pixel values -> (B, C, h/16, w/16) logits."""


def open_checkpoint(folder: Path) -> Segmenter:
    """Open the app's path with the checkpoint of a folder."""
    model = load_folder(folder, read_variant(folder))
    return lambda pixels, side: segment(pixels, model, side=side).class_map


def segmenter_of(network: Network) -> Segmenter:
    """Build the app's path around a network that is being trained."""

    def engine(values: NDArray[np.float32]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = network(torch.from_numpy(values)).float().cpu().numpy()
        return logits

    def segmenter(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        framing = plan_framing((pixels.shape[0], pixels.shape[1]), "whole", side)
        return classify(engine, to_pixel_values(frame_pixels(pixels, framing)), framing)[1]

    return segmenter
