"""From logits on the network's grid to one class id for each pixel of the original image.

Four neighbouring logits span a cell. A class that is ahead of another at all four is ahead in the
whole cell, since the interpolated difference lies between the four: the other cannot win there.
Most cells have one possible winner and need no interpolation; elsewhere only the possible winners
are compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.classes import NOT_SEEN
from demo.framing import Framing

_TILE = 1 << 16
"""How many pixels are compared at a time: 256 kB of scores."""

_WORTH_A_STEP = 4000
"""Comparing so many pixels takes as long as beginning one more step."""


def classify_pixels(logits: NDArray[np.float32], framing: Framing) -> NDArray[np.uint8]:
    """Interpolate logits bilinearly (align_corners=False), then take the argmax.

    The result equals comparing all classes at all pixels, except for the rounding of float32
    where two classes are equal.

    Args:
        logits: (C, h, w) float32, h and w at least 2, covering the framing's box.

    Returns:
        H×W uint8 of the framing's image size; 255 outside the box.
    """
    rows, columns = framing.seen
    top, left, bottom, right = framing.box
    down = _plan_axis(logits.shape[1], top, bottom, rows)
    across = _plan_axis(logits.shape[2], left, right, columns)
    possible = _possible_winners(logits)
    winners = np.flatnonzero(possible.any(axis=(1, 2))).tolist()
    stretched = {c: across.interpolate(logits[c]) for c in winners}  # each (h, columns)
    leader = possible.argmax(axis=0).astype(np.uint8)  # (h-1, w-1)
    contested = possible.sum(axis=0) > 1
    class_map = np.full(framing.image_hw, NOT_SEEN, dtype=np.uint8)
    seen = class_map[rows, columns]
    for cell, start, stop in down.spans():
        band = seen[start:stop]
        band[:] = leader[cell][across.cells]
        fractions = down.fractions[start:stop]
        weights = np.stack([1 - fractions, fractions], axis=1)
        for first, after in _runs(contested[cell], across.starts, stop - start):
            rivals = np.flatnonzero(possible[:, cell, first:after].any(axis=1)).tolist()
            span = slice(across.starts[first], across.starts[after])
            corners = {c: stretched[c][cell : cell + 2, span] for c in rivals}
            for tile in _tiles(stop - start, span.stop - span.start):
                _settle(band[tile, span], weights[tile], corners)
    return class_map


def winning_classes(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Find the class ids that can be the argmax somewhere between the logits, ascending.

    Args:
        logits: (C, h, w) float32, h and w at least 2.
    """
    return np.flatnonzero(_possible_winners(logits).any(axis=(1, 2))).astype(np.uint8)


def _possible_winners(logits: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find which class can win in which cell: (C, h, w) -> (C, h-1, w-1)."""
    classes, height, width = logits.shape
    possible = np.ones((classes, height - 1, width - 1), dtype=np.bool_)
    for other in logits:
        behind = other > logits  # (C, h, w)
        behind = behind[:, :-1] & behind[:, 1:]
        possible &= ~(behind[:, :, :-1] & behind[:, :, 1:])
    return possible


@dataclass(frozen=True, eq=False)
class _Axis:
    """How pixels lie between logits along one axis.

    Attributes:
        cells: (pixels,) the cell of each pixel, in [0, n - 2], ascending.
        fractions: (pixels,) float32, how far it lies from the cell's first logit to its second.
        starts: (n,) the first pixel of each cell, and the number of pixels at the end.
    """

    cells: NDArray[np.intp]
    fractions: NDArray[np.float32]
    starts: NDArray[np.intp]

    def interpolate(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Stretch (h, n) logits along their last axis to (h, pixels).

        This is no matrix product, because BLAS would split that over threads. Its idle threads
        spin and slow down those of the network.
        """
        counts = np.bincount(self.cells, minlength=logits.shape[1] - 1)
        stretched = np.repeat(np.diff(logits, axis=1), counts, axis=1)
        stretched *= self.fractions
        stretched += np.repeat(logits[:, :-1], counts, axis=1)
        return stretched

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """Give each cell that has pixels, with its first pixel and the one after its last."""
        for cell in np.unique(self.cells).tolist():
            yield cell, int(self.starts[cell]), int(self.starts[cell + 1])


def _plan_axis(count: int, start: float, stop: float, seen: slice) -> _Axis:
    """Place the pixels of a slice between `count` logits that span [start, stop)."""
    centres = np.arange(seen.start, seen.stop) + 0.5
    positions = np.clip((centres - start) * count / (stop - start) - 0.5, 0, count - 1)
    cells = np.minimum(positions.astype(np.intp), count - 2)
    fractions = (positions - cells).astype(np.float32)
    return _Axis(cells, fractions, np.searchsorted(cells, np.arange(count)))


def _runs(
    contested: NDArray[np.bool_], starts: NDArray[np.intp], rows: int
) -> Iterator[tuple[int, int]]:
    """Find the contested cells of a band of rows, and take those together that lie close by.

    Args:
        contested: whether each cell of the band is.
        starts: the first pixel of each cell, and the number of pixels at the end.
        rows: height of the band in pixels.

    Returns:
        The first cell of each run, and the one after its last.
    """
    cells = np.flatnonzero(contested)
    between = (starts[cells[1:]] - starts[cells[:-1] + 1]) * rows
    for run in np.split(cells, np.flatnonzero(between > _WORTH_A_STEP) + 1):
        if len(run):
            yield int(run[0]), int(run[-1]) + 1


def _tiles(rows: int, columns: int) -> Iterator[slice]:
    """Cut rows into pieces of a size that stays in the cache."""
    step = max(1, _TILE // max(columns, 1))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def _settle(
    tile: NDArray[np.uint8],
    row_weights: NDArray[np.float32],
    corners: dict[int, NDArray[np.float32]],
) -> None:
    """Write the argmax of some classes into a tile; the lowest id wins a tie.

    Args:
        tile: (rows, columns) uint8, written.
        row_weights: (rows, 2) of the logits above and below.
        corners: logits above and below of each class, ascending; (2, columns) each.
    """
    ids, values = list(corners), list(corners.values())
    if len(ids) == 2:
        is_second = row_weights @ (values[1] - values[0]) > 0
        np.multiply(is_second.view(np.uint8), np.uint8(ids[1] - ids[0]), out=tile)
        tile += np.uint8(ids[0])
        return
    tile[:] = ids[0]
    best = row_weights @ values[0]
    scores = np.empty_like(best)
    for class_id, above_and_below in zip(ids[1:], values[1:], strict=True):
        np.matmul(row_weights, above_and_below, out=scores)
        np.copyto(tile, np.uint8(class_id), where=scores > best)
        np.maximum(best, scores, out=best)
