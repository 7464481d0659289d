"""Held-out pictures as people will show them: faces, upper bodies, groups, distant figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from training.pasting import Cut, Spot, cut_out, paste
from training.photographs import Photograph, make_photograph
from training.views import Scene

_CANVAS = 512


@dataclass(frozen=True)
class Close:
    """How near a camera is: the share of the figure that it shows and its frame's shape."""

    share: float
    aspect: float


FACE = Close(share=0.17, aspect=4 / 3)
PORTRAIT = Close(share=0.32, aspect=4 / 3)
UPPER_BODY = Close(share=0.55, aspect=3 / 4)


def close_ups(people: Sequence[Photograph], close: Close) -> list[Photograph]:
    """Cut each photograph as a camera in front of the person would, at its own resolution."""
    return [_close_up(photograph, close) for photograph in people if photograph.figure is not None]


def _close_up(photograph: Photograph, close: Close) -> Photograph:
    assert photograph.figure is not None
    top, _, bottom, _ = photograph.figure
    height, width = photograph.labels.shape
    tall = int((bottom - top) * close.share)
    wide = min(int(tall * close.aspect), width)
    row = max(top - tall // 8, 0)
    column = int(np.clip(photograph.head_x - wide // 2, 0, width - wide))
    part = (slice(row, min(row + tall, height)), slice(column, column + wide))
    pixels, labels = photograph.pixels[part], photograph.labels[part]
    return make_photograph(
        photograph.name, np.ascontiguousarray(pixels), np.ascontiguousarray(labels)
    )


def pasted(
    people: Sequence[Photograph],
    empty: Sequence[Photograph],
    spots: Sequence[Spot],
    aspect: float,
) -> list[Photograph]:
    """Paste held-out people at fixed places on held-out pictures without people.

    Args:
        people: each serves once as the first figure; the others of a picture follow it.
        empty: backgrounds, used in turn.
        spots: one figure each.
        aspect: width / height of the pictures that are made.
    """
    figures = [photograph for photograph in people if photograph.figure is not None]
    height = int(_CANVAS / max(aspect, 1.0))
    size = (int(height * aspect), height)
    pictures = []
    for index, photograph in enumerate(figures):
        background = empty[index % len(empty)].pixels
        square = cv2.resize(background, (_CANVAS, _CANVAS)).astype(np.uint8, copy=False)
        scene = Scene(np.array(square), np.zeros((_CANVAS, _CANVAS), np.uint8))
        for number, spot in enumerate(spots):
            figure = figures[(index + 7 * number) % len(figures)]
            paste(scene, cut_out(figure, Cut(spot.share, number % 2 == 1)), spot, aspect)
        pixels = cv2.resize(scene.pixels, size, interpolation=cv2.INTER_AREA)
        labels = cv2.resize(scene.labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
        pictures.append(
            make_photograph(photograph.name, pixels.astype(np.uint8), labels.astype(np.uint8))
        )
    return pictures


Maker = Callable[[Sequence[Photograph], Sequence[Photograph]], list[Photograph]]

STRESS_SETS: dict[str, Maker] = {
    "face": lambda people, _: close_ups(people, FACE),
    "head and shoulders": lambda people, _: close_ups(people, PORTRAIT),
    "upper body": lambda people, _: close_ups(people, UPPER_BODY),
    "webcam, pasted": lambda people, empty: pasted(
        people, empty, [Spot(0.3, 0.85, 0.15, 0.5)], 16 / 9
    ),
    "group of three, pasted": lambda people, empty: pasted(
        people,
        empty,
        [Spot(1.0, 0.8, 0.15, 0.2), Spot(1.0, 0.7, 0.2, 0.5), Spot(1.0, 0.8, 0.18, 0.8)],
        4 / 3,
    ),
    "distant, pasted": lambda people, empty: pasted(
        people, empty, [Spot(1.0, 0.25, 0.55, 0.4)], 4 / 3
    ),
}
"""Name -> how to make it from the held-out people and the held-out pictures without people."""
