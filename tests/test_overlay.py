import numpy as np
import pytest

from demo.classes import NOT_SEEN, PALETTE
from demo.errors import InvalidImage, InvalidOption
from demo.overlay import draw_overlay
from tests.support.models import make_segmentation

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
CLASS_MAP = np.zeros((20, 30), np.uint8)
CLASS_MAP[:10, 15:] = 15


@pytest.mark.parametrize("opacity", [0.0, 0.3, 1.0])
def test_class_colours_are_blended_and_background_is_unchanged(opacity: float) -> None:
    before = IMAGE.copy()
    overlay = draw_overlay(IMAGE, make_segmentation(CLASS_MAP.copy()), opacity=opacity)
    expected = IMAGE.astype(float)
    expected[:10, 15:] = opacity * PALETTE[15] + (1 - opacity) * expected[:10, 15:]
    assert np.abs(overlay - expected).max() <= 0.501
    assert (before == IMAGE).all()


def test_pixels_not_seen_are_striped() -> None:
    class_map = CLASS_MAP.copy()
    class_map[:, :5] = NOT_SEEN
    overlay = draw_overlay(IMAGE, make_segmentation(class_map), opacity=1)
    striped = (overlay[:, :5] == 128).all(axis=2)
    assert 0.3 < striped.mean() < 0.7
    assert (overlay[:, 5:15] == IMAGE[:, 5:15]).all()


def test_an_image_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidImage, match="Segment this image first"):
        draw_overlay(IMAGE[:5], make_segmentation(CLASS_MAP))


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_an_opacity_outside_its_range_is_refused(opacity: float) -> None:
    with pytest.raises(InvalidOption, match="Choose 0 to 1"):
        draw_overlay(IMAGE, make_segmentation(CLASS_MAP), opacity=opacity)
