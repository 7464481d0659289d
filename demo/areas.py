"""How much of the image each class covers."""

from dataclasses import dataclass

import numpy as np

from demo.classes import NOT_SEEN
from demo.segmentation import Segmentation

AreaRow = list[float]
"""One class as the browser gets it: [class id, area]. The area is in pixels for a still image, and
a fraction of the frame for a live result."""


@dataclass(frozen=True)
class ClassArea:
    """The area of one class in one image.

    Attributes:
        class_id: its id.
        class_name: its name.
        pixels: how many pixels of the original image.
        fraction: share of the seen pixels, in (0, 1].
        foreground_fraction: share of the seen pixels that are not background; None for
            background, and where there is no such class.
    """

    class_id: int
    class_name: str
    pixels: int
    fraction: float
    foreground_fraction: float | None


def found_areas(segmentation: Segmentation) -> list[ClassArea]:
    """List the classes present but for the background, largest first."""
    is_background = segmentation.classes.is_background
    return [area for area in class_areas(segmentation) if not is_background(area.class_id)]


def class_areas(segmentation: Segmentation) -> list[ClassArea]:
    """List the classes present, largest first.

    The pixels sum to width × height, less the pixels that were not seen (`count_not_seen`).
    """
    classes = segmentation.classes
    counts = segmentation.pixel_counts[: len(classes)]
    seen, foreground = int(counts.sum()), int(counts[1:].sum())
    areas = [
        ClassArea(
            class_id=class_id,
            class_name=classes.names[class_id],
            pixels=int(counts[class_id]),
            fraction=int(counts[class_id]) / seen,
            foreground_fraction=(
                int(counts[class_id]) / foreground if class_id and classes.has_background else None
            ),
        )
        for class_id in np.flatnonzero(counts).tolist()
    ]
    return sorted(areas, key=lambda area: -area.pixels)


def count_not_seen(segmentation: Segmentation) -> int:
    """Count the pixels of the original image outside the network's view."""
    return int(segmentation.pixel_counts[NOT_SEEN])
