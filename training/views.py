"""Which part of a photograph is shown, and what its pixels and its mask look like there."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.sources import VOID

_WHOLE = 0.4
"""Share of the views that show all of the photograph, as the app's framing `whole` does."""


class View(NamedTuple):
    """A rectangle in pixels of the photograph, which it may leave; it is squashed to a square."""

    top: int
    left: int
    bottom: int
    right: int
    mirrored: bool

    def in_fractions(self, image_hw: tuple[int, int]) -> tuple[float, float, float, float]:
        """(top, left, bottom, right) in sizes of the photograph; left > right where mirrored."""
        height, width = image_hw
        left, right = self.left / width, self.right / width
        if self.mirrored:
            left, right = right, left
        return self.top / height, left, self.bottom / height, right


def draw_view(image_hw: tuple[int, int], rng: Generator) -> View:
    """All of the photograph, or from a third of its sides to 1.4 of them at any aspect ratio."""
    mirrored = bool(rng.random() < 0.5)
    if rng.random() < _WHOLE:
        lengths = image_hw * rng.uniform(0.9, 1.0, 2)
    else:
        scale, stretch = np.exp(rng.uniform((np.log(0.35), -0.25), (np.log(1.4), 0.25)))
        lengths = image_hw * np.array([scale * stretch, scale / stretch])
    tall, wide = (max(round(length), 16) for length in lengths)
    top = round(rng.uniform(0, 1) * (image_hw[0] - tall))
    left = round(rng.uniform(0, 1) * (image_hw[1] - wide))
    return View(top, left, top + tall, left + wide, mirrored)


def show_pixels(pixels: NDArray[np.uint8], view: View, side: int) -> NDArray[np.uint8]:
    """Squash a view of H×W×3 uint8 pixels to side×side×3; outside, the edge is reflected."""
    height, width = pixels.shape[:2]
    rows = slice(max(view.top, 0), min(view.bottom, height))
    columns = slice(max(view.left, 0), min(view.right, width))
    beyond = (-view.top, view.bottom - height, -view.left, view.right - width)
    part: NDArray[np.uint8] = pixels[rows, columns]
    if max(beyond) > 0:
        above, below, left, right = (max(margin, 0) for margin in beyond)
        part = np.asarray(
            cv2.copyMakeBorder(part, above, below, left, right, cv2.BORDER_REFLECT), np.uint8
        )
    shrinks = part.shape[0] * part.shape[1] > side * side
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    squashed = np.asarray(cv2.resize(part, (side, side), interpolation=how), np.uint8)
    return np.ascontiguousarray(squashed[:, ::-1]) if view.mirrored else squashed


def show_mask(mask: NDArray[np.uint8], view: View, cells: int) -> NDArray[np.uint8]:
    """The class ids of an H×W mask in the middles of cells×cells; outside they are void."""
    rows, inside_rows = _middles(view.top, view.bottom, mask.shape[0], cells)
    columns, inside_columns = _middles(view.left, view.right, mask.shape[1], cells)
    seen = mask[np.ix_(rows, columns)]
    seen[~(inside_rows[:, None] & inside_columns)] = VOID
    return seen[:, ::-1] if view.mirrored else seen


def _middles(
    start: int, stop: int, size: int, cells: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    at = np.floor(start + (np.arange(cells) + 0.5) * (stop - start) / cells).astype(np.intp)
    return np.clip(at, 0, size - 1), (at >= 0) & (at < size)
