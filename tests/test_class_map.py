import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.class_map import classify_pixels, winning_classes
from demo.classes import NOT_SEEN
from demo.framing import plan_framing
from tests.support.geometry import to_network


def random_logits(seed: int, hw: tuple[int, int], contrast: float) -> np.ndarray:
    """Draw (21, h, w) float32 logits; at a high contrast few classes can win."""
    generator = np.random.default_rng(seed)
    bias = generator.normal(0, contrast, (21, 1, 1))
    return (generator.normal(0, 1, (21, *hw)) + bias).astype(np.float32)


def bilinear_then_argmax(logits: np.ndarray, hw: tuple[int, int]) -> np.ndarray:
    """Interpolate all 21 classes with PyTorch in double precision, then take the argmax."""
    scores = torch.nn.functional.interpolate(
        torch.from_numpy(logits)[None].double(), size=hw, mode="bilinear", align_corners=False
    )
    return scores[0].argmax(0).numpy()


@settings(max_examples=60)
@given(
    st.integers(0, 1000),
    st.tuples(st.integers(1, 700), st.integers(1, 700)),
    st.sampled_from([0.1, 1.0, 10.0]),
)
def test_the_class_map_equals_bilinear_then_argmax(
    seed: int, hw: tuple[int, int], contrast: float
) -> None:
    logits = random_logits(seed, (32, 32), contrast)
    class_map = classify_pixels(logits, plan_framing(hw))
    assert class_map.shape == hw and class_map.dtype == np.uint8
    differing = (class_map != bilinear_then_argmax(logits, hw)).sum()
    assert differing <= max(1, hw[0] * hw[1] * 1e-4)  # 99.99 %: float32 may break ties differently


@pytest.mark.parametrize("framing", ["crop", "aspect"])
@pytest.mark.parametrize("hw", [(480, 640), (640, 480), (333, 1000), (77, 50)])
def test_each_pixel_is_interpolated_at_its_place_in_the_network_s_input(
    hw: tuple[int, int], framing: str
) -> None:
    """Compare with an interpolation in double precision at 3000 points."""
    plan = plan_framing(hw, framing)
    grid = (plan.network_hw[0] // 16, plan.network_hw[1] // 16)
    logits = random_logits(4, grid, 1.0)
    class_map = classify_pixels(logits, plan)
    rows, columns = plan.seen
    generator = np.random.default_rng(0)
    points = zip(
        generator.integers(rows.start, rows.stop, 3000),
        generator.integers(columns.start, columns.stop, 3000),
        strict=True,
    )
    right = [
        class_map[row, column] == interpolate(logits, *to_network(plan, row + 0.5, column + 0.5))
        for row, column in points
    ]
    assert np.mean(right) >= 0.999
    outside = np.ones(hw, bool)
    outside[plan.seen] = False
    assert (class_map[outside] == NOT_SEEN).all()
    assert (class_map[plan.seen] != NOT_SEEN).all()


def interpolate(logits: np.ndarray, y: float, x: float) -> int:
    """Give the argmax at one point of the network's input, from the four logits around it."""
    top = np.clip(y / 16 - 0.5, 0, logits.shape[1] - 1)
    left = np.clip(x / 16 - 0.5, 0, logits.shape[2] - 1)
    row, column = min(int(top), logits.shape[1] - 2), min(int(left), logits.shape[2] - 2)
    down, across = top - row, left - column
    corners = logits[:, row : row + 2, column : column + 2].astype(np.float64)
    weights = np.outer([1 - down, down], [1 - across, across])
    return int((corners * weights).sum(axis=(1, 2)).argmax())


def test_a_class_that_leads_at_no_corner_of_a_cell_can_still_win() -> None:
    """A class that is second at all four corners of a cell wins in the middle of the cell."""
    logits = np.full((21, 2, 2), -10.0, np.float32)
    logits[1], logits[2] = [[4, 0], [4, 0]], [[0, 4], [0, 4]]
    logits[3] = 3
    assert 3 in winning_classes(logits)
    assert 3 in classify_pixels(logits, plan_framing((32, 32)))


def test_classes_that_cannot_win_are_left_out() -> None:
    logits = random_logits(5, (32, 32), 0.1)
    logits[[0, 15]] += 20
    assert winning_classes(logits).tolist() == [0, 15]
