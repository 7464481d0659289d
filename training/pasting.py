"""People cut out of their photographs and pasted on other pictures, with soft edges."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from training.photographs import BACKGROUND, PERSON, Photograph
from training.views import Scene


class Cut(NamedTuple):
    """How a figure is cut out: the upper share of its box, mirrored or not."""

    share: float
    mirrored: bool


class Spot(NamedTuple):
    """Where a figure goes; lengths in sides of the square scene.

    A figure of which only an upper share is shown should end at the lower edge of the frame,
    as it would before a camera.
    """

    share: float
    height: float
    top: float
    middle: float


@dataclass(frozen=True, eq=False)
class Figure:
    """A cut-out: h×w×3 uint8 RGB, h×w uint8 labels, h×w uint8 opacity."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    opacity: NDArray[np.uint8]


def cut_out(photograph: Photograph, cut: Cut) -> Figure:
    """Cut out the photograph's figure, with what it carries.

    Raises:
        ValueError: if the photograph has no figure.
    """
    if photograph.figure is None:
        raise ValueError(f"Photograph {photograph.name} shows no figure to cut out.")
    top, left, bottom, right = photograph.figure
    rows = slice(top, top + max(int((bottom - top) * cut.share), 8))
    columns = slice(left, right)
    pixels, labels = photograph.pixels[rows, columns], photograph.labels[rows, columns]
    if cut.mirrored:
        pixels, labels = pixels[:, ::-1], labels[:, ::-1]
    labels = np.ascontiguousarray(labels)
    opacity = np.where(labels == BACKGROUND, 0, 255).astype(np.uint8)
    return Figure(np.ascontiguousarray(pixels), labels, opacity)


def resize(figure: Figure, height: int, width: int) -> Figure:
    """Scale a cut-out and soften its edge by about a pixel."""
    size = (width, height)
    how = cv2.INTER_AREA if height < figure.labels.shape[0] else cv2.INTER_LINEAR
    pixels = cv2.resize(figure.pixels, size, interpolation=how)
    labels = cv2.resize(figure.labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
    opacity = cv2.GaussianBlur(cv2.resize(figure.opacity, size, interpolation=how), (3, 3), 0)
    return Figure(
        np.asarray(pixels, np.uint8), np.asarray(labels, np.uint8), np.asarray(opacity, np.uint8)
    )


def soften_edge(figure: Figure) -> Figure:
    """Blur the opacity a little more."""
    opacity = np.asarray(cv2.GaussianBlur(figure.opacity, (5, 5), 0), np.uint8)
    return Figure(figure.pixels, figure.labels, opacity)


def paste(scene: Scene, figure: Figure, spot: Spot, aspect: float, *, softer: bool = False) -> None:
    """Draw a figure on a scene; what lies outside is cut off.

    Args:
        scene: drawn upon.
        figure: see `cut_out`.
        spot: where it goes.
        aspect: width / height of the camera's frame, which is squashed to the square.
        softer: whether its edge is blurred a second time.
    """
    side = scene.labels.shape[0]
    height = max(int(spot.height * side), 8)
    width = max(int(height * figure.labels.shape[1] / figure.labels.shape[0] / aspect), 4)
    row, column = int(spot.top * side), int(spot.middle * side - width / 2)
    rows, columns = _visible(row, height, side), _visible(column, width, side)
    if rows is None or columns is None:
        return
    scaled = resize(figure, height, width)
    if softer:
        scaled = soften_edge(scaled)
    part = (_moved(rows, -row), _moved(columns, -column))
    blend(scene, (rows, columns), scaled.pixels[part], scaled.opacity[part])
    _draw_labels(scene, (rows, columns), scaled.labels[part], scaled.opacity[part])


def _visible(start: int, length: int, side: int) -> slice | None:
    first, last = max(start, 0), min(start + length, side)
    return slice(first, last) if last - first >= 2 else None


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)


def blend(
    scene: Scene,
    target: tuple[slice, slice],
    pixels: NDArray[np.uint8],
    opacity: NDArray[np.uint8],
) -> None:
    """Mix h×w×3 pixels over a part of the scene by their h×w uint8 opacity."""
    below = scene.pixels[target].astype(np.int32)
    weight = opacity.astype(np.int32)[:, :, None]
    mixed = below + (((pixels - below) * weight) >> 8)
    scene.pixels[target] = mixed.astype(np.uint8)


def _draw_labels(
    scene: Scene,
    target: tuple[slice, slice],
    labels: NDArray[np.uint8],
    opacity: NDArray[np.uint8],
) -> None:
    """Label what is more than half opaque; its unlabelled rim is person too."""
    covered = opacity > 127
    drawn = np.where(labels == BACKGROUND, np.uint8(PERSON), labels)
    scene.labels[target][covered] = drawn[covered]
