import pytest

from demo.classes import CLASSES, PALETTE

# from the colour map of the VOC2012 development kit
KNOWN = {
    0: (0, 0, 0),
    1: (128, 0, 0),
    8: (64, 0, 0),
    15: (192, 128, 128),
    20: (0, 64, 128),
    255: (224, 224, 192),
}


@pytest.mark.parametrize(("index", "colour"), KNOWN.items())
def test_palette_is_vocs(index: int, colour: tuple[int, int, int]) -> None:
    assert tuple(PALETTE[index].tolist()) == colour


def test_classes_are_numbered_and_coloured_apart() -> None:
    assert [c.id for c in CLASSES] == list(range(21))
    assert len({c.colour for c in CLASSES}) == 21
    assert CLASSES[15].name == "person" and CLASSES[15].hex_colour == "#c08080"
