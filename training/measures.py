"""Figures on held-out pictures, through the app's own path at the original size."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demo.framing import frame_pixels, plan_framing, to_pixel_values
from demo.inference import classify
from training.photographs import PERSON, VOID, Photograph

Network = Callable[[Tensor], Tensor]
"""(B, 3, h, w) float32 pixel values -> (B, 21, h/16, w/16) logits."""

Segmenter = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
"""H×W×3 uint8 RGB and the side of the network's input -> H×W uint8 class ids."""


def segmenter_of(network: Network) -> Segmenter:
    """The app's path around a network that is still being trained."""

    def segment(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        framing = plan_framing((pixels.shape[0], pixels.shape[1]), "whole", side)
        return classify(engine, to_pixel_values(frame_pixels(pixels, framing)), framing)[1]

    def engine(values: NDArray[np.float32]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = network(torch.from_numpy(values)).float().cpu().numpy()
        return logits

    return segment


def count_overlap(segmenter: Segmenter, pictures: Iterable[Photograph], side: int) -> Tensor:
    """Sum (intersection, union, false person share, pictures) over pictures; (4,) float64.

    Void pixels do not count. The third number adds up the share of each picture that is called
    person although it is not.
    """
    counts = np.zeros(4)
    for picture in pictures:
        known = picture.labels != VOID
        said = (segmenter(picture.pixels, side) == PERSON) & known
        true = picture.labels == PERSON
        false_share = float((said & ~true).mean())
        counts += (float((said & true).sum()), float((said | true).sum()), false_share, 1.0)
    return torch.from_numpy(counts)


def person_iou(counts: Tensor) -> float:
    """Intersection over union of person, summed over all pixels of all pictures."""
    return float(counts[0] / counts[1].clamp(min=1))


def false_person_share(counts: Tensor) -> float:
    """Mean share of a picture that is wrongly called person."""
    return float(counts[2] / counts[3].clamp(min=1))
