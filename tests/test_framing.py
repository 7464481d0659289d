import numpy as np
import PIL.Image
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from demo.classes import NOT_SEEN, PALETTE
from demo.errors import InvalidOption
from demo.framing import FRAMINGS, Framing, frame_pixels, plan_framing, to_pixel_values
from demo.inference import segment
from demo.models.model import Model
from demo.variants import get_variant
from tests.support.geometry import to_image, to_network
from tests.support.models import FAKE_WEIGHTS, fake_model

PERSON, CAT = 15, 8

lengths = st.one_of(st.integers(1, 8000), st.integers(1, 64))
names = st.sampled_from(sorted(FRAMINGS))
sides = st.sampled_from([256, 384, 512])


def sizes() -> st.SearchStrategy[tuple[int, int]]:
    """Draw any (height, width) with sides from 1 to 8000 and up to 0.5 megapixels."""
    return st.tuples(lengths, lengths).filter(lambda hw: hw[0] * hw[1] <= 500_000)


@given(sizes(), names, st.sampled_from(range(256, 1025, 32)))
def test_the_input_s_size_is_one_that_the_network_accepts(
    hw: tuple[int, int], name: str, side: int
) -> None:
    framing = plan_framing(hw, name, side)
    assert all(n % 32 == 0 and 256 <= n <= 2048 for n in framing.network_hw)
    if framing.name != "aspect":
        assert framing.network_hw == (side, side)
    top, left, bottom, right = framing.box
    assert 0 <= top < bottom <= hw[0] and 0 <= left < right <= hw[1]


@pytest.mark.parametrize(
    ("hw", "name"),
    [((500, 1000), "whole"), ((499, 1000), "aspect"), ((1001, 500), "aspect"), ((9, 9), "whole")],
    ids=str,
)
def test_auto_squashes_no_image_that_is_longer_than_twice_its_short_side(
    hw: tuple[int, int], name: str
) -> None:
    assert plan_framing(hw, "auto") == plan_framing(hw, name)


@given(sizes(), names, st.floats(0, 1), st.floats(0, 1))
def test_a_point_mapped_there_and_back_is_the_same(
    hw: tuple[int, int], name: str, v: float, u: float
) -> None:
    framing = plan_framing(hw, name)
    y, x = v * framing.network_hw[0], u * framing.network_hw[1]
    there = to_network(framing, *to_image(framing, y, x))
    assert there == pytest.approx((y, x), abs=1e-6)


def in_network(plan: Framing, axis: int, points: np.ndarray) -> np.ndarray:
    """Map points along one axis of the original (0 is y, 1 is x) to the network's pixels."""
    start, stop = plan.box[axis], plan.box[axis + 2]
    return (points - start) * plan.network_hw[axis] / (stop - start)


@settings(max_examples=60)
@given(sizes(), names, sides, st.sampled_from([0, 1]), st.floats(0.2, 0.8))
def test_an_edge_stays_where_it_is_in_the_image(
    hw: tuple[int, int], name: str, side: int, axis: int, fraction: float
) -> None:
    """The edge between two colours is found to within half a stride, along either axis."""
    edge = min(max(1, round(hw[axis] * fraction)), hw[axis])
    truth = np.full(hw, CAT, np.uint8)
    truth[:edge] = PERSON if axis == 0 else truth[:edge]
    truth[:, :edge] = PERSON if axis == 1 else truth[:, :edge]
    result = segment(PALETTE[truth], fake_model(), framing=name, side=side)
    centres = in_network(result.framing, axis, np.arange(hw[axis]) + 0.5)
    at = in_network(result.framing, axis, np.array([float(edge)]))
    far = np.abs(centres - at) > 8 + np.diff(centres, append=centres[-1:]).max(initial=1.0)
    scored = (result.class_map != NOT_SEEN) & (far[:, None] if axis == 0 else far[None, :])
    assert (result.class_map[scored] == truth[scored]).all()
    if edge < hw[axis] and (result.framing.box[axis] < edge < result.framing.box[axis + 2]):
        first, last = result.class_map[result.framing.seen][[0, -1], [0, -1]]
        spread = centres[result.framing.seen[axis]]
        if at - spread[0] > 16:
            assert first == PERSON
        if spread[-1] - at > 16:
            assert last == CAT


class BrightestBlock:
    """An engine that marks the 16×16 block with the brightest pixel as person."""

    precision = "f32"

    def __call__(self, pixel_values: np.ndarray) -> np.ndarray:
        _, _, height, width = pixel_values.shape
        light = pixel_values[0].sum(axis=0).reshape(height // 16, 16, width // 16, 16)
        blocks = light.max(axis=(1, 3))
        logits = np.full((1, 21, *blocks.shape), -1.0, np.float32)
        logits[0, 0] = 0
        logits[0, PERSON].flat[blocks.argmax()] = 1000
        return logits


BRIGHTEST = Model(get_variant("s"), BrightestBlock(), FAKE_WEIGHTS)


@settings(max_examples=80)
@given(sizes(), names, st.sampled_from(range(256, 1025, 128)), st.floats(0, 1), st.floats(0, 1))
def test_one_bright_pixel_is_found_where_it_is(
    hw: tuple[int, int], name: str, side: int, v: float, u: float
) -> None:
    """The marked region covers the pixel, and its centre is within a stride of it."""
    plan = plan_framing(hw, name, side)
    rows, columns = plan.seen
    row = min(rows.start + int(v * (rows.stop - rows.start)), rows.stop - 1)
    column = min(columns.start + int(u * (columns.stop - columns.start)), columns.stop - 1)
    scales = [plan.network_hw[i] / (plan.box[i + 2] - plan.box[i]) for i in (0, 1)]
    # Skip sizes at which the pixel is larger than a block or too small to stand out.
    assume(max(scales) <= 16 and min(scales) > 1 / 8)
    image = np.zeros((*hw, 3), np.uint8)
    image[row, column] = 255
    result = segment(image, BRIGHTEST, framing=name, side=side)
    found = np.argwhere(result.class_map == PERSON)
    assert len(found)
    # The tolerance is half a stride to the block's centre and one stride of interpolation,
    # in network pixels.
    for axis, position in ((0, row), (1, column)):
        distances = np.abs(found[:, axis] - position) * scales[axis]
        assert distances.min() <= scales[axis] + 1
        assert distances.max() <= 8 + 16 + scales[axis] + 1


@pytest.mark.parametrize("name", sorted(FRAMINGS))
@pytest.mark.parametrize("hw", [(300, 400), (400, 300), (90, 1000), (1000, 90), (33, 47)])
def test_a_gradient_is_never_mirrored_or_transposed(name: str, hw: tuple[int, int]) -> None:
    """Red that grows to the right and green that grows downwards do so in the input too."""
    image = np.zeros((*hw, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, hw[1]).astype(np.uint8)[None, :]
    image[..., 1] = np.linspace(0, 255, hw[0]).astype(np.uint8)[:, None]
    blue, green, red = to_pixel_values(frame_pixels(image, plan_framing(hw, name)))[0]
    assert not blue.any()
    assert (np.diff(red, axis=1) >= 0).all() and red[0, -1] > red[0, 0]
    assert (np.diff(green, axis=0) >= 0).all() and green[-1, 0] > green[0, 0]
    assert np.abs(np.diff(red, axis=0)).max() == 0 == np.abs(np.diff(green, axis=1)).max()


@given(sizes())
def test_crop_sees_the_area_of_its_box(hw: tuple[int, int]) -> None:
    plan = plan_framing(hw, "crop")
    rows, columns = plan.seen
    assert 0 <= rows.start < rows.stop <= hw[0] and 0 <= columns.start < columns.stop <= hw[1]
    seen = (rows.stop - rows.start) * (columns.stop - columns.start)
    top, left, bottom, right = plan.box
    assert abs(seen - (bottom - top) * (right - left)) <= sum(hw) + 1


@pytest.mark.parametrize(
    ("hw", "rows", "columns"),
    [((480, 640), (14, 466), (94, 546)), ((1000, 500), (265, 735), (15, 485))],
    ids=["landscape", "portrait"],
)
def test_crop_sees_the_known_pixels(
    hw: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    plan = plan_framing(hw, "crop")
    assert plan.seen == (slice(*rows), slice(*columns))


@pytest.mark.parametrize(
    ("hw", "fraction"), [((480, 640), 0.665), ((1080, 1920), 0.498)], ids=["4:3", "16:9"]
)
def test_crop_sees_the_known_fraction_of_the_image(hw: tuple[int, int], fraction: float) -> None:
    top, left, bottom, right = plan_framing(hw, "crop").box
    assert (bottom - top) * (right - left) / (hw[0] * hw[1]) == pytest.approx(fraction, abs=5e-4)


def test_aspect_rounds_the_sides_to_multiples_of_32() -> None:
    assert plan_framing((480, 640), "aspect").network_hw == (512, 672)


def test_pixel_values_are_bgr_in_unit_range() -> None:
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[..., 0] = 255
    values = to_pixel_values(pixels)
    assert values.shape == (1, 3, 32, 64) and values.dtype == np.float32
    assert values[0, 2].min() == 1.0 and values[0, :2].max() == 0.0


@pytest.mark.parametrize("image_hw", [(90, 61), (1081, 1923)], ids=["small", "in two threads"])
@pytest.mark.parametrize("network_hw", [(512, 512), (75, 64)], ids=str)
def test_scaled_pixels_equal_those_of_pillow(
    image_hw: tuple[int, int], network_hw: tuple[int, int]
) -> None:
    image = np.random.default_rng(3).integers(0, 256, (*image_hw, 3), np.uint8)
    box = (0.0, 0.0, float(image_hw[0]), float(image_hw[1]))
    framed = frame_pixels(image, Framing("whole", image_hw, network_hw, box))
    plain = PIL.Image.fromarray(image).resize(network_hw[::-1], PIL.Image.Resampling.BILINEAR)
    assert np.array_equal(framed, np.asarray(plain))


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
