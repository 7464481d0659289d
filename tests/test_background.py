import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.background import (
    Background,
    draw_alpha,
    draw_background,
    find_kept,
    parse_background,
)
from demo.classes import CLASS_NAMES, NOT_SEEN
from demo.errors import InvalidOption
from demo.image import Image
from demo.segmentation import Segmentation
from tests.support.models import make_segmentation

PERSON, CAT = CLASS_NAMES.index("person"), CLASS_NAMES.index("cat")


def paint_square(side: int = 256, off_by: int = 3) -> tuple[Image, Segmentation, np.ndarray]:
    """A bright square on dark ground, and a result that lies some pixels beside it."""
    is_square = np.zeros((side, side), bool)
    is_square[side // 4 : side // 2, side // 4 : side // 2] = True
    noise = np.random.default_rng(0).integers(0, 8, (side, side, 3))
    image = (np.where(is_square[..., None], 220, 40) + noise).astype(np.uint8)
    class_map = np.where(np.roll(is_square, off_by, (0, 1)), PERSON, 0).astype(np.uint8)
    return image, make_segmentation(class_map), is_square


def test_refined_edges_follow_the_image() -> None:
    image, segmentation, is_square = paint_square()
    plain = draw_alpha(image, segmentation, [PERSON], refine=False) > 127
    refined = draw_alpha(image, segmentation, [PERSON]) > 127
    assert (plain == (segmentation.class_map == PERSON)).all()
    assert (refined != is_square).sum() < 0.25 * (plain != is_square).sum()


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([True, False]))
def test_alpha_has_the_size_of_any_image(height: int, width: int, refine: bool) -> None:
    rng = np.random.default_rng(height * 41 + width)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    class_map = rng.choice(np.array([0, PERSON, CAT, NOT_SEEN], np.uint8), (height, width))
    alpha = draw_alpha(image, make_segmentation(class_map), [PERSON, CAT], refine=refine)
    assert alpha.shape == (height, width) and alpha.dtype == np.uint8
    for kind in ("blurred", "colour"):
        drawn = draw_background(image, alpha, Background(kind))
        assert drawn.shape == image.shape
        assert (drawn[alpha == 255] == image[alpha == 255]).all()


@pytest.mark.parametrize("hw", [(1, 1), (7, 300), (300, 7), (60, 80)], ids=str)
def test_a_picture_fills_the_image_and_keeps_its_proportions(hw: tuple[int, int]) -> None:
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[10:20, 15:25] = 255  # a square in the middle
    alpha = np.zeros(hw, np.uint8)
    drawn = draw_background(
        np.zeros((*hw, 3), np.uint8), alpha, Background("picture", picture=picture)
    )
    assert drawn.shape == (*hw, 3)
    if min(hw) > 10:
        rows, columns = (np.flatnonzero((drawn[..., 0] > 127).any(axis=axis)) for axis in (1, 0))
        assert len(rows) == len(columns) == 20
        assert rows[0] == 20 and columns[0] == 30


def test_a_transparent_background_keeps_the_colours() -> None:
    image, segmentation, _ = paint_square()
    alpha = draw_alpha(image, segmentation, [PERSON], refine=False)
    rgba = draw_background(image, alpha, Background("transparent"))
    assert PIL.Image.fromarray(rgba).mode == "RGBA"
    assert (rgba[..., :3] == image).all() and (rgba[..., 3] == alpha).all()


def test_no_halo_of_what_is_kept_surrounds_it() -> None:
    image, segmentation, is_square = paint_square(off_by=0)
    alpha = draw_alpha(image, segmentation, [PERSON], refine=False)
    drawn = draw_background(image, alpha, Background("blurred"))
    assert drawn[~is_square].max() < 60  # the square has 220


@pytest.mark.parametrize("text", ["#12345", "#gggggg", "red", "", "blur", "#0000000"])
def test_an_unknown_background_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="Choose blurred, transparent"):
        parse_background(text)


def test_colours_and_classes_are_read() -> None:
    assert parse_background("#00b140").colour == (0, 177, 64)
    assert parse_background("blurred").kind == "blurred"
    assert find_kept(["person", "cat"]) == {PERSON, CAT}
    with pytest.raises(InvalidOption, match="Unknown class 'unicorn'"):
        find_kept(["unicorn"])
