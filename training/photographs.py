"""The training photographs in memory, and the fixed rule that holds some of them out."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

BACKGROUND, PERSON, VOID = 0, 15, 255

NOT_FOR_TRAINING = frozenset({"0536", "0692", "0868"})
"""A woman without a mask, the same picture as 0732, which is held out, and half a mask."""

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels, bottom and right excluded."""


@dataclass(frozen=True, eq=False)
class Photograph:
    """One picture and what is known about it.

    Attributes:
        name: file name without its ending; a number.
        pixels: H×W×3 uint8 RGB.
        labels: H×W uint8: 0 background, 15 person, 255 void; where they are a network's, the
            probability of person in fifteenths.
        figure: box of the largest person, or None where there is nobody.
        head_x: column of the middle of the figure's head; 0 without a figure.
    """

    name: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    figure: Box | None
    head_x: int


def is_held_out_person(name: str) -> bool:
    """Blocks of ten neighbours, one block in seven: series of one person stay together."""
    return int(name) // 10 % 7 == 3


def is_held_out_empty(name: str) -> bool:
    """Every fifth of the pictures without people."""
    return int(name) % 5 == 0


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Read a picture as H×W×3 uint8 RGB."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise FileNotFoundError(f"Cannot read the picture {path}.")
    return np.ascontiguousarray(pixels[:, :, ::-1]).astype(np.uint8, copy=False)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Read a single-channel mask as H×W uint8."""
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if labels is None or labels.ndim != 2:
        raise ValueError(f"Expected a single-channel mask in {path}.")
    return labels.astype(np.uint8, copy=False)


def largest_figure(labels: NDArray[np.uint8]) -> tuple[Box | None, int]:
    """Find the box of the largest connected person and the column of the head.

    Figures below 1 % of the picture do not count: they are scraps of a mask.
    """
    person = (labels > PERSON // 2).astype(np.uint8)  # with what is carried, which is void
    count, parts, stats, _ = cv2.connectedComponentsWithStats(person)
    if count < 2:
        return None, 0
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    left, top, width, height, area = (int(value) for value in stats[best])
    if area < labels.size // 100:
        return None, 0
    head = parts[top : top + max(height // 8, 1)] == best
    return (top, left, top + height, left + width), int(np.nonzero(head)[1].mean())


def make_photograph(name: str, pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Photograph:
    """Join a picture and its labels (same H×W) and find its figure."""
    figure, head_x = largest_figure(labels)
    return Photograph(name, pixels, labels, figure, head_x)


def align(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Move a mask onto its photograph: one pixel left and one up; H×W in and out.

    The masks lie 0.9 pixels right of and 0.8 below the outlines that they follow, on all sides
    alike. A network that is shown mirror images too cannot learn the former.
    """
    return np.pad(labels[1:, 1:], ((0, 1), (0, 1)), mode="edge")


def load_people(folder: Path, *, held_out: bool, as_published: bool = False) -> list[Photograph]:
    """Load the labelled photographs of one side of the split, in the order of their names.

    Args:
        folder: JPEGImages and SegmentationClass, as VOC has them.
        held_out: which side.
        as_published: whether to leave the masks where they are, and not to `align` them.
    """
    photographs = []
    for path in sorted((folder / "JPEGImages").glob("*.jpg")):
        if is_held_out_person(path.stem) != held_out or path.stem in NOT_FOR_TRAINING:
            continue
        labels = read_labels(folder / "SegmentationClass" / f"{path.stem}.png")
        labels = labels if as_published else align(labels)
        photographs.append(make_photograph(path.stem, read_pixels(path), labels))
    return photographs


def load_empty(folder: Path, *, held_out: bool) -> list[Photograph]:
    """Load the pictures without people of one side of the split."""
    paths = sorted(folder.glob("*.jpg"))
    return _without_people(path for path in paths if is_held_out_empty(path.stem) == held_out)


def _without_people(paths: Iterable[Path]) -> list[Photograph]:
    pictures = ((path.stem, read_pixels(path)) for path in paths)
    return [
        Photograph(name, pixels, np.zeros(pixels.shape[:2], np.uint8), None, 0)
        for name, pixels in pictures
    ]


def list_unlabelled(folder: Path) -> list[Path]:
    """Paths of the photographs without masks, in the order of their names."""
    return sorted((folder / "unlabelled").glob("*.jpg"))
