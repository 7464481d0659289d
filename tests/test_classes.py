import itertools

import numpy as np
import pytest

from demo.classes import CLASS_NAMES, CLASSES, PALETTE, VOC, build_class_set

# Values of the colour map in the VOC2012 development kit
KNOWN = {
    0: (0, 0, 0),
    1: (128, 0, 0),
    8: (64, 0, 0),
    15: (192, 128, 128),
    20: (0, 64, 128),
    255: (224, 224, 192),
}


@pytest.mark.parametrize(("index", "colour"), KNOWN.items())
def test_the_palette_is_that_of_voc(index: int, colour: tuple[int, int, int]) -> None:
    assert tuple(PALETTE[index].tolist()) == colour


def test_each_class_has_its_own_id_and_colour() -> None:
    assert [c.id for c in CLASSES] == list(range(21))
    assert len({c.colour for c in CLASSES}) == 21
    assert CLASSES[15].name == "person" and CLASSES[15].colour == (192, 128, 128)


# Machado, Oliveira and Fernandes (2009): linear RGB as seen without red, green or blue cones
WITHOUT_CONES = {
    "none missing": np.eye(3),
    "red": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "green": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "blue": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def as_cielab(colours: np.ndarray, seen_through: np.ndarray) -> np.ndarray:
    """Convert N×3 sRGB in [0, 255] to CIELAB (D65) after a linear map of linear RGB."""
    values = colours / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    light = np.clip(light @ np.asarray(seen_through).T, 0, 1)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    f = np.cbrt(np.maximum(light @ to_xyz.T / [0.9505, 1, 1.089], 0.008856))
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )


@pytest.mark.parametrize("missing", WITHOUT_CONES)
def test_safe_colours_can_be_told_apart_without_a_kind_of_cones(missing: str) -> None:
    colours = np.array([c.safe_colour for c in CLASSES if c.id], dtype=float)
    lab = as_cielab(colours, np.asarray(WITHOUT_CONES[missing]))
    least = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(lab, 2))
    assert least > 15  # two colours of VOC are only 1 apart


def test_other_classes_get_the_colours_of_voc_or_their_own() -> None:
    plain = build_class_set(["road", "car"])
    assert plain.classes[1].colour == (128, 0, 0) and not plain.has_background
    assert [each.id for each in plain.foreground] == [0, 1]
    own = build_class_set(["background", "car"], [(0, 0, 0), (1, 2, 3)])
    assert own.palette[1].tolist() == [1, 2, 3] and own.is_background(0)
    assert build_class_set(list(CLASS_NAMES)) is VOC


@pytest.mark.parametrize(
    ("names", "colours", "says"),
    [
        (["road"], None, "1 classes, expected 2 to 255"),
        ([str(i) for i in range(256)], None, "256 classes"),
        (["car", "car"], None, "the same name"),
        (["road", "car"], [(0, 0, 0)], "1 colours for 2 classes"),
    ],
    ids=["one", "too-many", "same", "colours"],
)
def test_classes_that_make_no_sense_are_refused(
    names: list[str], colours: list[tuple[int, int, int]] | None, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        build_class_set(names, colours)
