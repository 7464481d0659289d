"""From logits on the network's grid to one class id for each pixel of the original image.

Four neighbouring logits span a cell. Within it every interpolated value lies between the least and
the greatest of the four, so a class whose greatest is below another's least cannot win there. Most
cells have one class left and need no interpolation; elsewhere only the classes left are compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.classes import NOT_SEEN
from demo.framing import Framing


def classify_pixels(logits: NDArray[np.float32], framing: Framing) -> NDArray[np.uint8]:
    """Interpolate logits bilinearly (align_corners=False), then take the argmax.

    The result is that of comparing all classes at all pixels, but for the rounding of float32
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
    leader = possible.argmax(axis=0).astype(np.uint8)  # (h-1, w-1)
    contested = possible.sum(axis=0) > 1
    class_map = np.full(framing.image_hw, NOT_SEEN, dtype=np.uint8)
    seen = class_map[rows, columns]
    for cell, start, stop in down.spans():
        band = seen[start:stop]
        band[:] = leader[cell][across.cells]
        rivals = possible[:, cell] & contested[cell]
        if rivals.any():
            _settle(band, logits, rivals, down.weights[start:stop], across)
    return class_map


def winning_classes(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The class ids that can be the argmax somewhere between the logits, ascending.

    Args:
        logits: (C, h, w) float32, h and w at least 2.
    """
    return np.flatnonzero(_possible_winners(logits).any(axis=(1, 2))).astype(np.uint8)


def _possible_winners(logits: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which class can win in which cell: (C, h, w) -> (C, h-1, w-1)."""
    greatest, least = _over_cells(logits, np.maximum), _over_cells(logits, np.minimum)
    possible: NDArray[np.bool_] = greatest >= least.max(axis=0)
    return possible


def _over_cells(logits: NDArray[np.float32], reduce: np.ufunc) -> NDArray[np.float32]:
    down = reduce(logits[:, :-1], logits[:, 1:])
    both: NDArray[np.float32] = reduce(down[:, :, :-1], down[:, :, 1:])
    return both


@dataclass(frozen=True, eq=False)
class _Axis:
    """How pixels lie between logits along one axis.

    Attributes:
        weights: (pixels, n) float32, two neighbouring entries a row, which sum to 1.
        cells: (pixels,) the cell of each pixel, in [0, n - 2], ascending.
        starts: (n,) the first pixel of each cell, and the number of pixels at the end.
    """

    weights: NDArray[np.float32]
    cells: NDArray[np.intp]
    starts: NDArray[np.intp]

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """Each cell that has pixels, with its first pixel and the one after its last."""
        for cell in np.unique(self.cells).tolist():
            yield cell, int(self.starts[cell]), int(self.starts[cell + 1])


def _plan_axis(count: int, start: float, stop: float, seen: slice) -> _Axis:
    """Place the pixels of a slice between `count` logits that span [start, stop)."""
    centres = np.arange(seen.start, seen.stop) + 0.5
    positions = np.clip((centres - start) * count / (stop - start) - 0.5, 0, count - 1)
    cells = np.minimum(positions.astype(np.intp), count - 2)
    fractions = positions - cells
    weights = np.zeros((len(centres), count), dtype=np.float32)
    pixels = np.arange(len(centres))
    weights[pixels, cells] = 1 - fractions
    weights[pixels, cells + 1] = fractions
    return _Axis(weights, cells, np.searchsorted(cells, np.arange(count)))


def _settle(
    band: NDArray[np.uint8],
    logits: NDArray[np.float32],
    rivals: NDArray[np.bool_],
    row_weights: NDArray[np.float32],
    across: _Axis,
) -> None:
    """Write the argmax into the contested cells of one row of cells; the lowest id wins a tie.

    Args:
        band: (rows, columns) uint8, written where there are rivals.
        rivals: (C, w-1) which classes are to be compared in which cell.
        row_weights: (rows, h) of the band's rows.
    """
    best = np.full(band.shape, -np.inf, np.float32)
    for class_id in np.flatnonzero(rivals.any(axis=1)):
        rows = row_weights @ logits[class_id]  # (rows, w)
        for first, last in _runs(rivals[class_id]):
            span = slice(across.starts[first], across.starts[last + 1])
            corners = slice(first, last + 2)
            scores = rows[:, corners] @ across.weights[span, corners].T
            np.copyto(band[:, span], np.uint8(class_id), where=scores > best[:, span])
            np.maximum(best[:, span], scores, out=best[:, span])


def _runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and last index of each run of true flags."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    yield from zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
