"""From logits on the network's grid to one class id for each pixel of the original image."""

import numpy as np
from numpy.typing import NDArray

from demo.classes import NOT_SEEN
from demo.framing import Framing

TILE_PIXELS = 1 << 20
"""Pixels classified at a time, so that memory does not grow with the image."""


def classify_pixels(logits: NDArray[np.float32], framing: Framing) -> NDArray[np.uint8]:
    """Interpolate logits bilinearly (align_corners=False), then take the argmax.

    Only `winning_classes` are interpolated; the others cannot win anywhere, so the result is
    that of all classes, up to the rounding of float32 at exact ties.

    Args:
        logits: (C, h, w) float32, covering the framing's box.

    Returns:
        H×W uint8 of the framing's image size; 255 outside the box.
    """
    rows, columns = framing.seen
    top, left, bottom, right = framing.box
    row_weights = _interpolation(logits.shape[1], top, bottom, rows)  # (rows, h)
    column_weights = _interpolation(logits.shape[2], left, right, columns).T  # (w, columns)
    class_ids = winning_classes(logits)
    class_map = np.full(framing.image_hw, NOT_SEEN, dtype=np.uint8)
    seen = class_map[rows, columns]
    tile_rows = max(1, TILE_PIXELS // seen.shape[1])
    for start in range(0, seen.shape[0], tile_rows):
        tile = slice(start, start + tile_rows)
        seen[tile] = _argmax(logits, class_ids, row_weights[tile], column_weights)
    return class_map


def winning_classes(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The class ids that can be the argmax somewhere between the logits, ascending.

    Between four neighbouring logits an interpolated value lies between their least and their
    greatest. So where the greatest of a class is below the least of another, it cannot win.

    Args:
        logits: (C, h, w) float32.
    """
    greatest, least = _over_cells(logits, np.maximum), _over_cells(logits, np.minimum)
    possible = (greatest >= least.max(axis=0)).any(axis=(1, 2))
    return np.flatnonzero(possible).astype(np.uint8)


def _over_cells(logits: NDArray[np.float32], reduce: np.ufunc) -> NDArray[np.float32]:
    """Reduce each 2×2 neighbourhood: (C, h, w) -> (C, h-1, w-1), or 1 where h or w is 1."""
    down = reduce(logits[:, :-1], logits[:, 1:]) if logits.shape[1] > 1 else logits
    both: NDArray[np.float32] = (
        reduce(down[:, :, :-1], down[:, :, 1:]) if down.shape[2] > 1 else down
    )
    return both


def _interpolation(cells: int, start: float, stop: float, seen: slice) -> NDArray[np.float32]:
    """Weights (pixels, cells) that interpolate linearly between cell centres along one axis."""
    centres = np.arange(seen.start, seen.stop) + 0.5
    positions = np.clip((centres - start) * cells / (stop - start) - 0.5, 0, cells - 1)
    lower = np.minimum(positions.astype(np.intp), max(cells - 2, 0))
    fraction = positions - lower
    weights = np.zeros((len(centres), cells), dtype=np.float32)
    pixels = np.arange(len(centres))
    weights[pixels, np.minimum(lower + 1, cells - 1)] = fraction
    weights[pixels, lower] += 1 - fraction
    return weights


def _argmax(
    logits: NDArray[np.float32],
    class_ids: NDArray[np.uint8],
    row_weights: NDArray[np.float32],
    column_weights: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Argmax over some classes on one tile; the lowest id wins a tie."""
    best = row_weights @ logits[class_ids[0]] @ column_weights
    winners = np.full(best.shape, class_ids[0], dtype=np.uint8)
    for class_id in class_ids[1:]:
        scores = row_weights @ logits[class_id] @ column_weights
        winners[scores > best] = class_id
        np.maximum(best, scores, out=best)
    return winners
