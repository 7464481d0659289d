"""Which part of a photograph is shown: all of it, a figure, or head and shoulders."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from demo.framing import Framing, frame_pixels
from training.photographs import Box, Photograph

ASPECTS = (2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 16 / 9)
"""Width / height of the pictures that people show; all are squashed to a square."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A square training picture.

    Attributes:
        pixels: side×side×3 uint8 RGB; drawn upon while the scene is being made.
        labels: side×side uint8: 0 background, 15 person, 255 void.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def whole_box(photograph: Photograph, rng: Generator) -> Box:
    """The whole picture, less up to 8 % at each edge."""
    height, width = photograph.labels.shape
    top, bottom = (int(height * cut) for cut in rng.uniform(0, 0.08, 2))
    left, right = (int(width * cut) for cut in rng.uniform(0, 0.08, 2))
    return top, left, height - bottom, width - right


def figure_box(photograph: Photograph, rng: Generator) -> Box:
    """Anything from a face that fills the frame to the whole figure, always with the head.

    Crops that show nothing but clothing are never made: nobody could label them.
    """
    if photograph.figure is None:
        return random_box(photograph, rng)
    top, _, bottom, _ = photograph.figure
    height, width = photograph.labels.shape
    tall = (bottom - top) * np.exp(rng.uniform(np.log(0.14), np.log(1.15)))
    wide = tall * rng.choice(ASPECTS) * rng.uniform(0.9, 1.1)
    tall, wide = int(min(tall, height)), int(min(wide, width))
    first_row = top - rng.uniform(-0.04, 0.35) * tall
    first_column = photograph.head_x - rng.uniform(0.25, 0.75) * wide
    return _inside(first_row, first_column, tall, wide, (height, width))


def random_box(photograph: Photograph, rng: Generator) -> Box:
    """Any part of a picture, from a quarter of its sides to all of it."""
    height, width = photograph.labels.shape
    tall, wide = (int(size) for size in rng.uniform(0.25, 1.0, 2) * (height, width))
    row, column = rng.uniform(0, height - tall), rng.uniform(0, width - wide)
    return _inside(row, column, tall, wide, (height, width))


def _inside(top: float, left: float, tall: int, wide: int, image_hw: tuple[int, int]) -> Box:
    """Move a box of at least 8×8 pixels into the picture."""
    tall, wide = max(tall, 8), max(wide, 8)
    row = int(np.clip(top, 0, max(image_hw[0] - tall, 0)))
    column = int(np.clip(left, 0, max(image_hw[1] - wide, 0)))
    return row, column, row + tall, column + wide


def squash(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resample as the app does with its framing `whole`, at any side."""
    height, width = pixels.shape[:2]
    whole = (0.0, 0.0, float(height), float(width))
    return frame_pixels(pixels, Framing("whole", (height, width), (side, side), whole))


def show(photograph: Photograph, box: Box, side: int) -> Scene:
    """Squash a box of a photograph and its labels to side×side."""
    top, left, bottom, right = box
    pixels = squash(photograph.pixels[top:bottom, left:right], side)
    part = np.ascontiguousarray(photograph.labels[top:bottom, left:right])
    labels = cv2.resize(part, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    return Scene(np.array(pixels, np.uint8), labels.astype(np.uint8, copy=False))
