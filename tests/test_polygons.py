import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from demo.polygons import Ring, trace_polygons


def fill(rings: list[Ring], hw: tuple[int, int]) -> np.ndarray:
    """Fill rings along pixel edges by counting how often each row's pixels are crossed."""
    counts = np.zeros(hw, int)
    for ring in rings:
        inside = np.zeros((hw[0], hw[1] + 1), int)
        for (x, y), (next_x, next_y) in zip(ring, [*ring[1:], ring[0]], strict=True):
            assert (x == next_x) != (y == next_y)
            if x == next_x:
                inside[min(y, next_y) : max(y, next_y), x] += 1 if next_y < y else -1
        counts += inside[:, :-1].cumsum(axis=1)
    return counts


@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_polygons_without_holes_cover_exactly_the_mask(mask: np.ndarray) -> None:
    assert (fill(trace_polygons(mask), mask.shape) == mask).all()


@pytest.mark.parametrize(
    ("rows", "rings"),
    [
        (["..", ".."], 0),
        (["##", "##"], 1),
        (["#.", ".#"], 2),
        (["###", "#.#", "###"], 2),
        (["#####", "#.#.#", "#####"], 3),
    ],
    ids=["nothing", "square", "corner", "hole", "two-holes"],
)
def test_number_of_polygons(rows: list[str], rings: int) -> None:
    mask = np.array([[point == "#" for point in row] for row in rows])
    assert len(trace_polygons(mask)) == rings


def test_corners_only_and_clockwise() -> None:
    mask = np.zeros((5, 6), bool)
    mask[1:4, 2:5] = True
    (ring,) = trace_polygons(mask)
    assert sorted(ring) == [(2, 1), (2, 4), (5, 1), (5, 4)]
    assert cv2.contourArea(np.array(ring, np.float32), oriented=True) == 9
