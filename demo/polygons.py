"""The outlines of a class as polygons, exactly along the edges of its pixels."""

import numpy as np
from numpy.typing import NDArray

Ring = list[tuple[int, int]]
"""Corners (x, y) of a closed line along pixel edges, in order; pixel (row i, column j) covers
[j, j+1) × [i, i+1)."""

_RIGHT, _DOWN, _LEFT, _UP = (1, 0), (0, 1), (-1, 0), (0, -1)


def trace_polygons(mask: NDArray[np.bool_]) -> list[Ring]:
    """Trace the parts of a mask as polygons without holes that cover exactly its pixels.

    Formats of polygons have no holes. A mask with a hole is cut at a column through it, so that
    each piece has one hole less.

    Args:
        mask: H×W bool.

    Returns:
        Rings, clockwise as seen on the screen. Pixels that touch at a corner only lie in rings of
        their own.
    """
    return _trace_columns(mask, 0, mask.shape[1])


def _trace_columns(mask: NDArray[np.bool_], first: int, after: int) -> list[Ring]:
    rings = _trace_rings(mask[:, first:after], first)
    holes = [ring for ring in rings if _signed_area(ring) < 0]
    if not holes:
        return rings
    holes.sort(key=min)
    columns = [x for x, _ in holes[len(holes) // 2]]  # the one in the middle keeps cuts few
    cut = (min(columns) + max(columns)) // 2
    if cut == min(columns):  # a hole of one column: one of its sides is enough
        cut += 1
    left, right = _trace_columns(mask, first, cut), _trace_columns(mask, cut, after)
    return left + right


def _signed_area(ring: Ring) -> int:
    """Compute twice the area; negative for the line around a hole."""
    following = [*ring[1:], ring[0]]
    return sum(x * ny - nx * y for (x, y), (nx, ny) in zip(ring, following, strict=True))


def _trace_rings(mask: NDArray[np.bool_], offset: int) -> list[Ring]:
    """Follow all edges between the mask and what is not of it, with the mask on the right."""
    edges = _find_edges(mask, offset)
    rings = []
    while edges:
        start = next(iter(edges))
        rings.append(_follow(edges, start))
    return rings


def _find_edges(
    mask: NDArray[np.bool_], offset: int
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Find the directed unit edges: from each corner, the directions in which one leaves it."""
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    edges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for neighbour, direction, corner in (
        (padded[:-2, 1:-1], _RIGHT, (0, 0)),  # what lies above: from the upper left corner
        (padded[1:-1, 2:], _DOWN, (1, 0)),
        (padded[2:, 1:-1], _LEFT, (1, 1)),
        (padded[1:-1, :-2], _UP, (0, 1)),
    ):
        rows, columns = np.nonzero(inside & ~neighbour)
        xs, ys = columns + offset + corner[0], rows + corner[1]
        for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
            edges.setdefault((x, y), []).append(direction)
    return edges


def _follow(edges: dict[tuple[int, int], list[tuple[int, int]]], start: tuple[int, int]) -> Ring:
    """Take the edges of one closed line away, and give its corners.

    Where two lines cross, each turns right, so that pixels that touch at a corner are apart.
    """
    at, first = start, edges[start][0]
    direction = first
    ring: Ring = []
    before: tuple[int, int] | None = None
    while True:
        leaving = edges[at]
        leaving.remove(direction)
        if not leaving:
            del edges[at]
        if direction != before:
            ring.append(at)
        before = direction
        at = (at[0] + direction[0], at[1] + direction[1])
        right = (-direction[1], direction[0])
        if at == start and right not in edges.get(at, ()):
            break
        direction = right if right in edges[at] else edges[at][0]
    if first == before:
        ring.pop(0)  # the line began in the middle of a side
    return ring
