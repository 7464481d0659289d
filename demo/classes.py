"""The 21 PASCAL VOC classes and their colours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOT_SEEN = 255
"""Value of a class map where the network saw nothing (outside the crop); VOC's own 'void'."""

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
    """One class: its id in [0, 20], its VOC name and its colour (R, G, B in [0, 255])."""

    id: int
    name: str
    colour: tuple[int, int, int]

    @property
    def hex_colour(self) -> str:
        """The colour as CSS writes it, such as ``#c08080``."""
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


def _voc_colour(index: int) -> tuple[int, int, int]:
    """Colour of a palette index, by the bit-interleaving rule of the VOC development kit."""
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
"""(256, 3) uint8 RGB: the whole VOC colour map, so that it can be written into a PNG as it is."""

CLASSES = tuple(VocClass(i, name, _voc_colour(i)) for i, name in enumerate(CLASS_NAMES))
