"""The 21 PASCAL VOC classes and their colours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOT_SEEN = 255
"""Value of a class map where the network saw nothing (outside the crop); void in VOC."""

CLASS_NAMES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)


@dataclass(frozen=True)
class VocClass:
    """One class: its id in [0, 20], its VOC name and its colours (R, G, B in [0, 255]).

    Attributes:
        colour: VOC's own colour.
        safe_colour: a colour that the colour-blind can tell from the others.
        meaning: what the name says, where that is not plain; else empty.
    """

    id: int
    name: str
    colour: tuple[int, int, int]
    safe_colour: tuple[int, int, int]
    meaning: str


def _voc_colour(index: int) -> tuple[int, int, int]:
    """Compute the colour of a palette index by the bit-interleaving rule of VOC's kit."""
    channels = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            channels[channel] |= ((index >> (3 * bit + channel)) & 1) << (7 - bit)
    return channels[0], channels[1], channels[2]


def _build_palette() -> NDArray[np.uint8]:
    palette = np.array([_voc_colour(index) for index in range(256)], dtype=np.uint8)
    palette.setflags(write=False)
    return palette


PALETTE: NDArray[np.uint8] = _build_palette()
"""(256, 3) uint8 RGB: the whole VOC colour map, as a PNG's palette needs it."""

_SAFE_COLOURS = {
    "background": (0, 0, 0),
    "person": (213, 94, 0),
    "car": (0, 114, 178),
    "dog": (0, 158, 115),
    "cat": (240, 228, 66),
    "chair": (86, 180, 233),
    "bird": (204, 121, 167),
    "bottle": (230, 159, 0),
    "aeroplane": (90, 45, 0),
    "bicycle": (150, 0, 240),
    "boat": (45, 60, 90),
    "bus": (180, 255, 165),
    "cow": (75, 15, 135),
    "diningtable": (135, 180, 105),
    "horse": (90, 75, 60),
    "motorbike": (150, 135, 255),
    "pottedplant": (165, 90, 45),
    "sheep": (240, 180, 180),
    "sofa": (195, 210, 240),
    "train": (60, 0, 180),
    "tvmonitor": (120, 75, 210),
}
"""Seven of Okabe and Ito (2008) for the commonest classes; the others were added one at a time,
each the farthest from all before it in CIELAB as seen with normal vision and, after Machado et al.
(2009), without each kind of cone."""

_MEANINGS = {
    "background": "everything that is none of the other 20 classes",
    "diningtable": "a dining table",
    "pottedplant": "a plant in a pot",
    "tvmonitor": "a television, or the screen of a computer",
}

CLASSES = tuple(
    VocClass(i, name, _voc_colour(i), _SAFE_COLOURS[name], _MEANINGS.get(name, ""))
    for i, name in enumerate(CLASS_NAMES)
)
