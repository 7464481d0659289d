import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from demo.classes import NOT_SEEN, PALETTE
from demo.errors import InvalidOption
from demo.framing import FRAMINGS, frame_pixels, plan_framing, to_pixel_values
from demo.inference import segment
from demo.registry import LoadedVariant, Registry
from tests.conftest import FAKE_WEIGHTS, ColourEngine

PERSON, CAT, BOAT, BUS = 15, 8, 4, 6
FAKE = Registry(lambda variant, report: LoadedVariant(variant, ColourEngine(), FAKE_WEIGHTS))

lengths = st.one_of(st.integers(1, 8000), st.integers(1, 64))
names = st.sampled_from(sorted(FRAMINGS))
sides = st.sampled_from([256, 384, 512])


def sizes() -> st.SearchStrategy[tuple[int, int]]:
    """Any (height, width) from 1×1 to 8000×50 and 50×8000, up to 0.5 megapixels."""
    return st.tuples(lengths, lengths).filter(lambda hw: hw[0] * hw[1] <= 500_000)


@given(sizes(), names, st.sampled_from(range(256, 1025, 32)))
def test_network_size_fits_the_network(hw: tuple[int, int], name: str, side: int) -> None:
    framing = plan_framing(hw, name, side)
    assert all(n % 32 == 0 and 256 <= n <= 2048 for n in framing.network_hw)
    if name != "aspect":
        assert framing.network_hw == (side, side)
    top, left, bottom, right = framing.box
    assert 0 <= top < bottom <= hw[0] and 0 <= left < right <= hw[1]


@given(sizes(), names, st.floats(0, 1), st.floats(0, 1))
def test_points_map_both_ways(hw: tuple[int, int], name: str, v: float, u: float) -> None:
    framing = plan_framing(hw, name)
    y, x = v * framing.network_hw[0], u * framing.network_hw[1]
    there = framing.to_network(*framing.to_image(y, x))
    assert there == pytest.approx((y, x), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(sizes(), names, sides)
def test_quadrants_come_back_in_place(hw: tuple[int, int], name: str, side: int) -> None:
    """Four colours in four corners: neither mirrored nor transposed, edges within half a stride."""
    height, width = hw
    truth = np.zeros(hw, np.uint8)
    middle_y, middle_x = height // 2, width // 2
    truth[:middle_y, :middle_x], truth[:middle_y, middle_x:] = PERSON, CAT
    truth[middle_y:, :middle_x], truth[middle_y:, middle_x:] = BOAT, BUS
    result = segment(PALETTE[truth], "s", framing=name, side=side, registry=FAKE)
    plan = result.framing
    scale_y = plan.network_hw[0] / (plan.box[2] - plan.box[0])
    scale_x = plan.network_hw[1] / (plan.box[3] - plan.box[1])
    # clear of the two edges by half a stride (8 network pixels) and a pixel of the original
    far_y = np.abs(np.arange(height) + 0.5 - middle_y) * scale_y > 8 + scale_y
    far_x = np.abs(np.arange(width) + 0.5 - middle_x) * scale_x > 8 + scale_x
    seen = result.class_map != NOT_SEEN
    judged = seen & far_y[:, None] & far_x[None, :]
    assert (result.class_map[judged] == truth[judged]).all()


@settings(max_examples=40, deadline=None)
@given(sizes(), names, st.floats(0.15, 0.85), st.floats(0.15, 0.85))
def test_a_mark_comes_back_where_it_was(hw: tuple[int, int], name: str, v: float, u: float) -> None:
    """The centre of a mark four strides wide moves by less than half a stride."""
    plan = plan_framing(hw, name)
    height, width = plan.network_hw
    top, left = plan.to_image(v * height - 32, u * width - 32)
    bottom, right = plan.to_image(v * height + 32, u * width + 32)
    rows, columns = slice(round(top), round(bottom)), slice(round(left), round(right))
    truth = np.zeros(hw, np.uint8)
    truth[rows, columns] = PERSON
    assume(rows.stop - rows.start >= 4 and columns.stop - columns.start >= 4)
    result = segment(PALETTE[truth], "s", framing=name, registry=FAKE)
    found = np.argwhere(result.class_map == PERSON)
    centre = plan.to_network(*(found.mean(axis=0) + 0.5))
    expected = plan.to_network((rows.start + rows.stop) / 2, (columns.start + columns.stop) / 2)
    assert centre == pytest.approx(expected, abs=8)


@given(sizes())
def test_crop_leaves_the_rest_unseen(hw: tuple[int, int]) -> None:
    plan = plan_framing(hw, "crop")
    rows, columns = plan.seen
    assert 0 <= rows.start < rows.stop <= hw[0] and 0 <= columns.start < columns.stop <= hw[1]
    seen = (rows.stop - rows.start) * (columns.stop - columns.start)
    top, left, bottom, right = plan.box
    assert abs(seen - (bottom - top) * (right - left)) <= sum(hw) + 1


@pytest.mark.parametrize(
    ("hw", "share"), [((480, 640), 0.665), ((1080, 1920), 0.498)], ids=["4:3", "16:9"]
)
def test_crop_sees_the_known_share(hw: tuple[int, int], share: float) -> None:
    top, left, bottom, right = plan_framing(hw, "crop").box
    assert (bottom - top) * (right - left) / (hw[0] * hw[1]) == pytest.approx(share, abs=5e-4)


def test_aspect_of_a_known_size() -> None:
    assert plan_framing((480, 640), "aspect").network_hw == (512, 672)


def test_pixel_values_are_bgr_in_unit_range() -> None:
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[..., 0] = 255
    values = to_pixel_values(pixels)
    assert values.shape == (1, 3, 32, 64) and values.dtype == np.float32
    assert values[0, 2].min() == 1.0 and values[0, :2].max() == 0.0


@pytest.mark.parametrize("name", sorted(FRAMINGS))
def test_a_flat_image_stays_flat(name: str) -> None:
    image = np.full((300, 77, 3), (12, 130, 240), np.uint8)
    framed = frame_pixels(image, plan_framing((300, 77), name))
    assert (framed == (12, 130, 240)).all()


@pytest.mark.parametrize(
    ("name", "side"), [("squash", 512), ("whole", 500), ("whole", 224), ("crop", 1056)]
)
def test_unknown_options_are_refused(name: str, side: int) -> None:
    with pytest.raises(InvalidOption, match="Choose"):
        plan_framing((10, 10), name, side)
