"""The classes of a checkpoint and their colours: PASCAL VOC's 21, or others."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

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


MOST_CLASSES = 255
"""A class map is uint8, and 255 means that nothing was seen."""

BACKGROUND = "background"
"""Name of the class of everything that is no other class; only class 0 can be it."""


@dataclass(frozen=True)
class NamedClass:
    """One class: its id, its name and its colours (R, G, B in [0, 255]).

    Attributes:
        colour: VOC's own colour of this id, or the checkpoint's.
        safe_colour: a colour that the colour-blind can tell from the others.
        meaning: what the name says, where that is not plain; else empty.
        group: VOC's group of the class; empty for the background and outside VOC.
    """

    id: int
    name: str
    colour: tuple[int, int, int]
    safe_colour: tuple[int, int, int]
    meaning: str = ""
    group: str = ""


class ClassInfo(TypedDict):
    """A class as the browser gets it: its name, what that means, and its colours."""

    name: str
    meaning: str
    voc: tuple[int, int, int]
    safe: tuple[int, int, int]


@dataclass(frozen=True)
class ClassSet:
    """The classes that a checkpoint tells apart, in the order of their ids.

    Raises:
        ValueError: at construction, if there are too few or too many, or two of one name.
    """

    classes: tuple[NamedClass, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.classes) <= MOST_CLASSES:
            raise ValueError(f"it has {len(self.classes)} classes, expected 2 to {MOST_CLASSES}")
        if len(set(self.names)) < len(self.classes):
            raise ValueError("two of its classes have the same name")

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names in the order of the ids."""
        return tuple(each.name for each in self.classes)

    @property
    def has_background(self) -> bool:
        """Whether class 0 is the background."""
        return self.names[0] == BACKGROUND

    @property
    def foreground(self) -> tuple[NamedClass, ...]:
        """All classes but the background."""
        return self.classes[1:] if self.has_background else self.classes

    def is_background(self, class_id: int) -> bool:
        """Tell whether an id is that of the background."""
        return class_id == 0 and self.has_background

    @property
    def infos(self) -> list[ClassInfo]:
        """All classes as the browser gets them, in the order of their ids."""
        return [
            {"name": c.name, "meaning": c.meaning, "voc": c.colour, "safe": c.safe_colour}
            for c in self.classes
        ]

    @cached_property
    def palette(self) -> NDArray[np.uint8]:
        """(256, 3) uint8 RGB: the colour of each class, and VOC's for all other values."""
        palette = PALETTE.copy()
        palette[: len(self.classes)] = [each.colour for each in self.classes]
        palette.setflags(write=False)
        return palette


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

_GROUPS = {
    "vehicle": ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train"),
    "indoor": ("bottle", "chair", "diningtable", "pottedplant", "sofa", "tvmonitor"),
    "animal": ("bird", "cat", "cow", "dog", "horse", "sheep"),
    "person": ("person",),
}
_GROUP_OF = {name: group for group, names in _GROUPS.items() for name in names}

VOC = ClassSet(
    tuple(
        NamedClass(
            i,
            name,
            _voc_colour(i),
            _SAFE_COLOURS[name],
            _MEANINGS.get(name, ""),
            _GROUP_OF.get(name, ""),
        )
        for i, name in enumerate(CLASS_NAMES)
    )
)
"""The 21 classes of PASCAL VOC."""

CLASSES = VOC.classes


def build_class_set(
    names: Sequence[str], colours: Sequence[tuple[int, int, int]] | None = None
) -> ClassSet:
    """Build the classes of a checkpoint; VOC's own where the names are VOC's.

    Args:
        names: in the order of the ids.
        colours: one for each; VOC's colours of the same ids if there are none.

    Raises:
        ValueError: with a clause that says what is wrong.
    """
    if tuple(names) == CLASS_NAMES and colours is None:
        return VOC
    chosen = colours or [_voc_colour(i) for i in range(len(names))]
    if len(chosen) != len(names):
        raise ValueError(f"it has {len(chosen)} colours for {len(names)} classes")
    return ClassSet(
        tuple(
            NamedClass(i, name, colour, colour)
            for i, (name, colour) in enumerate(zip(names, chosen, strict=True))
        )
    )
