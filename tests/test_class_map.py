import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.class_map import classify_pixels, winning_classes
from demo.classes import NOT_SEEN
from demo.framing import plan_framing


def random_logits(seed: int, hw: tuple[int, int], contrast: float) -> np.ndarray:
    """(21, h, w) float32; a high contrast leaves few classes that can win."""
    generator = np.random.default_rng(seed)
    bias = generator.normal(0, contrast, (21, 1, 1))
    return (generator.normal(0, 1, (21, *hw)) + bias).astype(np.float32)


def bilinear_then_argmax(logits: np.ndarray, hw: tuple[int, int]) -> np.ndarray:
    """PyTorch's own interpolation of all 21 classes, in double precision."""
    scores = torch.nn.functional.interpolate(
        torch.from_numpy(logits)[None].double(), size=hw, mode="bilinear", align_corners=False
    )
    return scores[0].argmax(0).numpy()


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 1000),
    st.tuples(st.integers(1, 700), st.integers(1, 700)),
    st.sampled_from([0.1, 1.0, 10.0]),
)
def test_equals_bilinear_then_argmax(seed: int, hw: tuple[int, int], contrast: float) -> None:
    logits = random_logits(seed, (32, 32), contrast)
    class_map = classify_pixels(logits, plan_framing(hw))
    assert class_map.shape == hw and class_map.dtype == np.uint8
    differing = (class_map != bilinear_then_argmax(logits, hw)).sum()
    assert differing <= max(1, hw[0] * hw[1] * 1e-4)  # 99.99 %; float32 at exact ties


@pytest.mark.parametrize("hw", [(480, 640), (640, 480), (333, 1000)])
def test_crop_equals_the_crop_of_the_resized_image(hw: tuple[int, int]) -> None:
    """Classifying at a scale where the crop falls on whole pixels leaves no rounding to argue."""
    logits = random_logits(4, (32, 32), 1.0)
    plan = plan_framing(hw, "crop")
    class_map = classify_pixels(logits, plan)
    rows, columns = plan.seen
    outside = np.ones(hw, bool)
    outside[rows, columns] = False
    assert (class_map[outside] == NOT_SEEN).all()
    for row, column in [(rows.start, columns.start), (rows.stop - 1, columns.stop - 1)]:
        y, x = plan.to_network(row + 0.5, column + 0.5)
        nearest = logits[:, min(31, int(y // 16)), min(31, int(x // 16))]
        assert class_map[row, column] == nearest.argmax()  # corners: the edge logit alone


def test_a_class_that_never_leads_a_cell_corner_can_still_win() -> None:
    """Between corners that two others share, a third, second at every corner, wins the middle."""
    logits = np.full((21, 2, 2), -10.0, np.float32)
    logits[1], logits[2] = [[4, 0], [4, 0]], [[0, 4], [0, 4]]
    logits[3] = 3
    assert 3 in winning_classes(logits)
    assert 3 in classify_pixels(logits, plan_framing((32, 32)))


def test_hopeless_classes_are_left_out() -> None:
    logits = random_logits(5, (32, 32), 0.1)
    logits[[0, 15]] += 20
    assert winning_classes(logits).tolist() == [0, 15]
