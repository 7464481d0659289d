"""What is known of a photograph before it is shown: by its mask, its folder and the teacher."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.maps import LOGIT_STEPS, map_path
from training.sources import Item, Plan, read_mask, read_pixels
from training.teacher import CELLS, CLASSES

_RAISE = 2.0
"""The teacher's logit of the class that a folder is named after is raised by this where the
teacher misses the class, and those of all other things are always lowered by half of it."""
_SEEN_SHARE = 0.05
"""Share of its cells from which the teacher has not missed a class."""

_LEAST_SHARE, _LEAST_CELLS = 0.005, 20
"""Share of a mask, and cells of the teacher, from which a photograph shows a class."""
_FEW = 30
"""Classes with fewer photographs in a folder are drawn as often as if they had so many."""
_RARITY = 0.7
"""A class of half as many photographs is drawn 2 to this power times as often."""


class Knowledge(NamedTuple):
    """What masks and teacher may say of one photograph.

    Attributes:
        known: (C,) bool, classes that the mask can be asked about; none without a mask.
        allowed: (C,) bool, classes that the teacher may name where the mask says nothing.
        raised: (C,) float32, what is added to the teacher's logits.
    """

    known: NDArray[np.bool_]
    allowed: NDArray[np.bool_]
    raised: NDArray[np.float32]


def read_maps(maps: Path | None, item: Item) -> NDArray[np.int8]:
    """(33, 33, channels) int8 of the teacher; no channels without one."""
    if maps is None:
        return np.zeros((CELLS, CELLS, 0), np.int8)
    return np.asarray(np.load(map_path(maps, item.name)))


def _at(ids: Sequence[int], count: int) -> NDArray[np.bool_]:
    """(C,) bool with True at some class ids."""
    chosen = np.zeros(count, np.bool_)
    chosen[list(ids)] = True
    return chosen


def _count(ids: NDArray[np.integer], count: int) -> NDArray[np.intp]:
    """(C,) how often each class id occurs in an array."""
    return np.bincount(ids.ravel(), minlength=256)[:count]


def find_knowledge(item: Item, mask: NDArray[np.uint8], maps: NDArray[np.int8]) -> Knowledge:
    """What is known of a photograph, given its whole mask and the teacher's maps."""
    count = len(item.classes)
    nothing, everything = np.zeros(count, np.bool_), np.ones(count, np.bool_)
    as_it_is = np.zeros(count, np.float32)
    if item.partial:
        return Knowledge(_at(item.partial, count), ~_at(item.partial, count), as_it_is)
    if item.mask is not None:
        return Knowledge(everything, (_count(mask, count) > 0) | _at([0], count), as_it_is)
    if not item.shows or not maps.shape[2]:
        return Knowledge(nothing, everything, as_it_is)
    return Knowledge(nothing, everything, _favour(item.shows, maps))


def _favour(shows: Sequence[int], maps: NDArray[np.int8]) -> NDArray[np.float32]:
    """What to add to the teacher's logits if some classes are in the picture; (C,) float32."""
    said = _count(maps[..., :CLASSES].argmax(axis=2), CLASSES)
    raised = np.full(CLASSES, -_RAISE / 2, np.float32)
    raised[0] = 0
    for class_id in shows:
        raised[class_id] = _RAISE if said[class_id] < _SEEN_SHARE * CELLS**2 else 0
    return raised


def find_classes(item: Item, maps_folder: Path | None) -> NDArray[np.bool_]:
    """(C,) bool: the classes that a photograph shows."""
    count = len(item.classes)
    found, maps = _at(item.shows, count), read_maps(maps_folder, item)
    if item.mask is not None:
        mask = read_mask(item, read_pixels(item.path).shape[:2])
        found |= _count(mask, count) > _LEAST_SHARE * mask.size
    if maps.shape[2] and (item.mask is None or item.partial):
        knowledge = find_knowledge(item, np.zeros((1, 1), np.uint8), maps)
        logits = maps[..., :CLASSES] / LOGIT_STEPS + knowledge.raised
        said = np.where(knowledge.allowed, logits, -99).argmax(axis=2)
        found |= _count(said, count) > _LEAST_CELLS
    return found


def sum_chances(plan: Plan, classes: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How often each photograph is drawn: folders by share, in each rare classes more often.

    Args:
        plan: the photographs and shares.
        classes: (n, C) bool, see `find_classes`.

    Returns:
        (n,) float64, ascending to 1: sums of the probabilities.
    """
    sources = np.array([item.source for item in plan.train])
    weights = np.zeros(len(sources))
    for index, share in enumerate(plan.shares):
        objects = classes[sources == index, 1:]
        rarity = objects.sum(axis=0).clip(_FEW) ** -_RARITY
        ours = np.where(objects, rarity, rarity.min() / 2).max(axis=1)
        weights[sources == index] = share * ours / ours.sum()
    return np.asarray(np.cumsum(weights / weights.sum()))
