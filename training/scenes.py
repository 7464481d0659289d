"""One training batch: scenes of every kind, as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from training.composing import compose, crop_background, plain_background, vary
from training.photographs import PERSON, VOID, Photograph
from training.photometric import photograph_anew
from training.views import Scene, figure_box, show, whole_box

TARGET_STRIDE = 4
"""Targets have a quarter of the side: four times finer than the logits, which is where the
loss compares them."""


@dataclass(frozen=True, eq=False)
class Sources:
    """Everything that scenes are made from.

    Attributes:
        people: photographs with exact masks.
        guessed: photographs with pseudo-labels; may be empty.
        empty: pictures without people.
        photographs: share of scenes that are photographs, in [0, 1]; of the others, 64 % are
            composites.
    """

    people: Sequence[Photograph]
    guessed: Sequence[Photograph]
    empty: Sequence[Photograph]
    photographs: float = 0.5


def draw_scene(sources: Sources, side: int, rng: Generator) -> Scene:
    """Make one scene: a photograph, a composite, or nobody."""
    kind = rng.random()
    if kind < sources.photographs:
        scene = _photograph(sources, side, rng)
    elif kind < 0.64 + 0.36 * sources.photographs:
        scene = _composite(sources, side, rng)
    else:
        scene = _nobody(sources, side, rng)
    return _turn(scene, rng)


def _pick(photographs: Sequence[Photograph], rng: Generator) -> Photograph:
    return photographs[int(rng.integers(len(photographs)))]


def _photograph(sources: Sources, side: int, rng: Generator) -> Scene:
    guessed = bool(sources.guessed) and rng.random() < 0.4
    photograph = _pick(sources.guessed if guessed else sources.people, rng)
    choose = whole_box if rng.random() < 0.5 else figure_box
    return show(photograph, choose(photograph, rng), side)


def _composite(sources: Sources, side: int, rng: Generator) -> Scene:
    kind = rng.random()
    if kind < 0.15:
        photograph = _pick(sources.people, rng)
        base = show(photograph, whole_box(photograph, rng), side)
    elif kind < 0.3:
        base = _unlabelled(plain_background(side, rng))
    else:
        base = _unlabelled(crop_background(sources.empty, side, rng))
    return compose(base, sources.people, sources.empty, rng)


def _unlabelled(pixels: NDArray[np.uint8]) -> Scene:
    """A scene with nobody in it."""
    return Scene(pixels, np.zeros(pixels.shape[:2], np.uint8))


def _nobody(sources: Sources, side: int, rng: Generator) -> Scene:
    plain = rng.random() < 0.05
    picture = _pick(sources.empty, rng)
    if not plain and rng.random() < 0.5:
        scene = show(picture, whole_box(picture, rng), side)
        return Scene(vary(scene.pixels, rng), scene.labels)
    pixels = plain_background(side, rng) if plain else crop_background(sources.empty, side, rng)
    return _unlabelled(pixels)


def _turn(scene: Scene, rng: Generator) -> Scene:
    """Mirror half of the scenes and tilt some by up to 15 degrees."""
    pixels, labels = scene.pixels, scene.labels
    if rng.random() < 0.5:
        pixels, labels = pixels[:, ::-1], labels[:, ::-1]
    upright = Scene(np.ascontiguousarray(pixels), np.ascontiguousarray(labels))
    return _tilt(upright, rng.uniform(-15, 15)) if rng.random() < 0.12 else upright


def _tilt(scene: Scene, degrees: float) -> Scene:
    side, edge = scene.labels.shape[0], cv2.BORDER_REFLECT_101
    turn, size = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.1), (side, side)
    pixels = cv2.warpAffine(scene.pixels, turn, size, borderMode=edge)
    labels = cv2.warpAffine(scene.labels, turn, size, flags=cv2.INTER_NEAREST, borderMode=edge)
    return Scene(np.asarray(pixels, np.uint8), np.asarray(labels, np.uint8))


def encode_target(labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Average labels over cells of 4×4 pixels.

    Args:
        labels: side×side uint8.

    Returns:
        (2, side/4, side/4) float32: the share of person among the known pixels of a cell, and
        the share of known pixels, both in [0, 1].
    """
    cells = (labels.shape[1] // TARGET_STRIDE, labels.shape[0] // TARGET_STRIDE)
    known = (labels != VOID).astype(np.float32)
    person = known * labels / np.float32(PERSON)
    person = np.asarray(cv2.resize(person, cells, interpolation=cv2.INTER_AREA), np.float32)
    known = np.asarray(cv2.resize(known, cells, interpolation=cv2.INTER_AREA), np.float32)
    return np.stack([person / np.maximum(known, 1e-6), known]).astype(np.float32)


def draw_batch(
    sources: Sources, side: int, size: int, seed: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Make a batch that depends on nothing but its sources and its seed.

    Returns:
        pixels (size, 3, side, side) uint8 BGR in channels_last layout, which `to_values` scales,
        and targets (size, 2, side/4, side/4) float32.
    """
    rng = np.random.default_rng(list(seed))
    scenes = [draw_scene(sources, side, rng) for _ in range(size)]
    pixels = np.stack([photograph_anew(scene.pixels, rng)[:, :, ::-1] for scene in scenes])
    targets = np.stack([encode_target(scene.labels) for scene in scenes])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.from_numpy(targets)


def to_values(pixels: Tensor) -> Tensor:
    """Scale the pixels of `draw_batch` as `demo.framing.to_pixel_values` does, where they are.

    A batch goes from process to process, and to a GPU, in a quarter of the bytes.
    """
    return pixels.float().mul_(1 / 255)
