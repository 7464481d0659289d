"""Composites: people, and at times an object, before any background."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.pasting import Cut, Figure, Spot, blend, cut_out, paste
from training.photographs import BACKGROUND, Photograph
from training.views import ASPECTS, Scene, random_box, squash

_HOW_MANY = (0.45, 0.25, 0.18, 0.12)
"""Probabilities of one to four people."""

_SMALLEST = 48
"""Height in pixels of the most distant figures, three cells of the logits."""


def plain_background(side: int, rng: Generator) -> NDArray[np.uint8]:
    """A wall: one colour or a smooth gradient of four, side×side×3 uint8."""
    corners = rng.integers(0, 256, (2, 2, 3)).astype(np.float32)
    spread = rng.choice((0.0, 0.2, 1.0))
    corners = corners[:1, :1] + spread * (corners - corners[:1, :1])
    smooth = cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(smooth, 0, 255), np.uint8)


def crop_background(pictures: Sequence[Photograph], side: int, rng: Generator) -> NDArray[np.uint8]:
    """A random part of a picture without people, squashed to side×side×3 uint8."""
    picture = pictures[int(rng.integers(len(pictures)))]
    top, left, bottom, right = random_box(picture, rng)
    pixels = picture.pixels[top:bottom, left:right]
    return vary(np.array(squash(np.ascontiguousarray(pixels), side), np.uint8), rng)


def vary(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Make more of a picture without people than people would bear: turned, other colours.

    Args:
        pixels: side×side×3 uint8.
        rng: what is drawn at random.
    """
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    if rng.random() < 0.25:
        pixels = np.rot90(pixels, int(rng.integers(1, 4)))
    if rng.random() < 0.2:
        pixels = pixels[:, :, rng.permutation(3)]
    return np.ascontiguousarray(pixels)


def compose(
    scene: Scene, people: Sequence[Photograph], empty: Sequence[Photograph], rng: Generator
) -> Scene:
    """Paste one to four people, and at times an object, on a scene.

    Args:
        scene: drawn upon.
        people: photographs to cut figures from.
        empty: pictures to cut objects from.
        rng: what is drawn at random.
    """
    aspect = float(rng.choice(ASPECTS))
    kind, side = float(rng.random()), scene.labels.shape[0]
    for _ in range(int(rng.choice((1, 2, 3, 4), p=_HOW_MANY))):
        photograph = people[int(rng.integers(len(people)))]
        if photograph.figure is not None:
            _paste_person(scene, photograph, _choose_spot(kind, side, rng), aspect, rng)
    if rng.random() < 0.25:
        _paste_object(scene, empty, rng)
    return scene


def _paste_person(
    scene: Scene, photograph: Photograph, spot: Spot, aspect: float, rng: Generator
) -> None:
    figure = cut_out(photograph, Cut(spot.share, bool(rng.random() < 0.5)))
    figure = _recolour(figure, scene.pixels, rng)
    paste(scene, figure, spot, aspect, softer=spot.height > 0.5 and rng.random() < 0.5)


def _choose_spot(kind: float, side: int, rng: Generator) -> Spot:
    """In a quarter of the scenes people are distant, in three tenths they stand, else close up."""
    if kind < 0.25:
        height = _between(_SMALLEST / side, 0.35, rng)
        return Spot(1.0, height, rng.uniform(0.0, 1.0 - height), rng.uniform(0.02, 0.98))
    if kind < 0.55:
        height = rng.uniform(0.35, 1.1)
        top = rng.uniform(-0.05, max(1.05 - height, 0.0))
        return Spot(1.0, height, top, rng.uniform(0.1, 0.9))
    height = rng.uniform(0.45, 1.1)
    return Spot(_between(0.14, 0.6, rng), height, 1.0 - height, rng.uniform(0.2, 0.8))


def _between(least: float, most: float, rng: Generator) -> float:
    """A number whose logarithm is evenly spread."""
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


def _recolour(figure: Figure, background: NDArray[np.uint8], rng: Generator) -> Figure:
    """Move a figure's mean part of the way to its new surroundings, with a little jitter."""
    own, other = figure.pixels.mean(axis=(0, 1)), background[::8, ::8].mean(axis=(0, 1))
    shift = rng.uniform(-0.1, 0.5) * (other - own)
    gain = rng.uniform(0.8, 1.2) * rng.uniform(0.92, 1.08, 3)
    table = np.clip(np.arange(256)[:, None] * gain + shift, 0, 255)
    pixels = cv2.LUT(figure.pixels, table.astype(np.uint8).reshape(256, 1, 3))
    return Figure(np.asarray(pixels, np.uint8), figure.labels, figure.opacity)


def _paste_object(scene: Scene, pictures: Sequence[Photograph], rng: Generator) -> None:
    """Draw an elliptic piece of another picture: a pasted edge alone does not mean a person."""
    side = scene.labels.shape[0]
    height, width = (int(size) for size in rng.uniform(0.1, 0.45, 2) * side)
    row, column = int(rng.integers(side - height)), int(rng.integers(side - width))
    pixels = crop_background(pictures, max(height, width), rng)[:height, :width]
    ellipse = np.zeros((height, width), np.uint8)
    radii = (max(width // 2 - 2, 1), max(height // 2 - 2, 1))
    cv2.ellipse(ellipse, (width // 2, height // 2), radii, 0, 0, 360, (255,), -1)
    opacity = np.asarray(cv2.GaussianBlur(ellipse, (3, 3), 0), np.uint8)
    target = (slice(row, row + height), slice(column, column + width))
    blend(scene, target, pixels, opacity)
    scene.labels[target][opacity > 127] = BACKGROUND
