"""Batches: photographs drawn by share and by rarity of their classes, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demo.classes import CLASS_NAMES
from training.maps import LOGIT_STEPS, map_path
from training.photometric import photograph_anew
from training.sources import Item, Plan, read_mask, read_pixels
from training.teacher import CELLS, CLASSES
from training.views import draw_view, show_mask, show_pixels

TARGET_STRIDE = 4
"""Targets have a quarter of the side: four times finer than the logits."""

RAISE = 2.0
"""The teacher's logit of the class that a folder is named after is raised by this where the
teacher misses the class, and those of all other things are always lowered by half of it."""

_SEEN_SHARE = 0.05
"""Share of its cells from which the teacher has not missed a class."""

_COUNT = len(CLASS_NAMES)
_LEAST_SHARE = 0.005
_LEAST_CELLS = 20
_FEW = 30
"""Classes with fewer photographs in a folder are drawn as often as if they had so many."""
_RARITY = 0.7
"""A class of half as many photographs is drawn 2 to this power times as often."""


class Batch(NamedTuple):
    """What a step learns from; B scenes, G cells along a side of the targets.

    Attributes:
        pixels: (B, 3, side, side) uint8 BGR in channels_last layout.
        masks: (B, G, G) uint8 class ids, 255 where nothing is known.
        known: (B, 21) bool, classes that the mask can be asked about; none without a mask.
        allowed: (B, 21) bool, classes that the teacher may name where the mask says nothing.
        raised: (B, 21) float32, what is added to the teacher's logits.
        maps: (B, 33, 33, channels) int8, see `training.maps.encode_maps`; no channels without
            a teacher.
        boxes: (B, 4) float32, see `training.views.View.in_fractions`.
    """

    pixels: Tensor
    masks: Tensor
    known: Tensor
    allowed: Tensor
    raised: Tensor
    maps: Tensor
    boxes: Tensor


@dataclass(frozen=True, eq=False)
class Sources:
    """Photographs, how often each is drawn, and where the teacher's maps lie.

    Attributes:
        items: all photographs.
        chances: (n,) float64, ascending to 1: sums of the probabilities of being drawn.
        maps: folder of the teacher's maps, or None.
    """

    items: Sequence[Item]
    chances: NDArray[np.float64]
    maps: Path | None


def read_maps(maps: Path | None, item: Item) -> NDArray[np.int8]:
    """(33, 33, channels) int8 of the teacher; no channels without one."""
    if maps is None:
        return np.zeros((CELLS, CELLS, 0), np.int8)
    return np.asarray(np.load(map_path(maps, item.name)))


def ids_mask(ids: Sequence[int]) -> NDArray[np.bool_]:
    """(21,) bool with True at some class ids."""
    chosen = np.zeros(_COUNT, np.bool_)
    chosen[list(ids)] = True
    return chosen


def _opinions(
    item: Item, mask: NDArray[np.uint8], maps: NDArray[np.int8]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float32]]:
    """`known`, `allowed` and `raised` of a `Batch` for one photograph, its mask and its maps."""
    raised = np.zeros(_COUNT, np.float32)
    if item.partial:
        known = ids_mask(item.partial)
        return known, ~known, raised
    if item.mask is not None:
        present = np.bincount(mask.ravel(), minlength=256)[:_COUNT] > 0
        return np.ones(_COUNT, np.bool_), present | ids_mask([0]), raised
    if item.shows and maps.shape[2]:
        ours = ids_mask(item.shows)
        said = np.bincount(maps[..., :CLASSES].argmax(axis=2).ravel(), minlength=_COUNT)
        raised[1:] = -RAISE / 2
        raised[ours] = np.where(said[ours] < _SEEN_SHARE * CELLS**2, RAISE, 0)
    return np.zeros(_COUNT, np.bool_), np.ones(_COUNT, np.bool_), raised


def find_classes(item: Item, maps_folder: Path | None) -> NDArray[np.bool_]:
    """(21,) bool: the classes of a photograph by its mask, its folder's name and the teacher."""
    found, maps = ids_mask(item.shows), read_maps(maps_folder, item)
    if item.mask is not None:
        mask = read_mask(item, read_pixels(item.path).shape[:2])
        found |= np.bincount(mask.ravel(), minlength=256)[:_COUNT] > _LEAST_SHARE * mask.size
    if maps.shape[2] and (item.mask is None or item.partial):
        _, allowed, raised = _opinions(item, np.zeros((1, 1), np.uint8), maps)
        logits = maps[..., :CLASSES] / LOGIT_STEPS + raised
        said = np.where(allowed, logits, -99).argmax(axis=2)
        found |= np.bincount(said.ravel(), minlength=_COUNT) > _LEAST_CELLS
    return found


def sum_chances(plan: Plan, classes: NDArray[np.bool_]) -> NDArray[np.float64]:
    """`chances` of `Sources`: folders by their shares, in each rare classes more often.

    Args:
        plan: the photographs and shares.
        classes: (n, 21) bool, see `find_classes`.
    """
    sources = np.array([item.source for item in plan.train])
    weights = np.zeros(len(sources))
    for index, share in enumerate(plan.shares):
        objects = classes[sources == index, 1:]
        rarity = objects.sum(axis=0).clip(_FEW) ** -_RARITY
        ours = np.where(objects, rarity, rarity.min() / 2).max(axis=1)
        weights[sources == index] = share * ours / ours.sum()
    return np.asarray(np.cumsum(weights / weights.sum()))


def draw_batch(sources: Sources, side: int, size: int, seed: Sequence[int]) -> Batch:
    """Make a batch that depends on nothing but its sources and its seed."""
    rng = np.random.default_rng(list(seed))
    drawn = np.searchsorted(sources.chances, rng.random(size)).clip(max=len(sources.items) - 1)
    scenes = [_draw_scene(sources, sources.items[i], side, rng) for i in drawn.tolist()]
    pixels, *others = (torch.from_numpy(np.stack(each)) for each in zip(*scenes, strict=True))
    return Batch(pixels.permute(0, 3, 1, 2), *others)


def _draw_scene(
    sources: Sources, item: Item, side: int, rng: np.random.Generator
) -> tuple[NDArray[np.generic], ...]:
    pixels = read_pixels(item.path)
    image_hw = (pixels.shape[0], pixels.shape[1])
    mask, maps = read_mask(item, image_hw), read_maps(sources.maps, item)
    view = draw_view(image_hw, rng)
    shown = photograph_anew(show_pixels(pixels, view, side), rng)
    return (
        np.ascontiguousarray(shown[:, :, ::-1]),
        show_mask(mask, view, side // TARGET_STRIDE).copy(),
        *_opinions(item, mask, maps),
        maps,
        np.array(view.in_fractions(image_hw), np.float32),
    )


def to_values(pixels: Tensor) -> Tensor:
    """Scale pixels of a batch as `demo.framing.to_pixel_values` does, where they are."""
    return pixels.float().mul_(1 / 255)
