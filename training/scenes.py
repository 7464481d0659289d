"""Batches: views of photographs, and what is known of them, as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.knowledge import find_knowledge, read_maps
from training.photometric import vary_colours
from training.sources import Item, read_mask, read_pixels
from training.views import draw_view, show_mask, show_pixels

TARGET_STRIDE = 4
"""Targets have a quarter of the side: four times finer than the logits."""


class Batch(NamedTuple):
    """What a step learns from; B scenes, G cells along a side of the targets.

    Attributes:
        pixels: (B, 3, side, side) uint8 BGR in channels_last layout.
        masks: (B, G, G) uint8 class ids, 255 where nothing is known.
        known, allowed: (B, C) bool, see `training.knowledge.Knowledge`.
        raised: (B, C) float32, likewise.
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
        chances: (n,) float64, see `training.knowledge.sum_chances`.
        maps: folder of the teacher's maps, or None.
    """

    items: Sequence[Item]
    chances: NDArray[np.float64]
    maps: Path | None


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
    shown = vary_colours(show_pixels(pixels, view, side), rng)
    return (
        np.ascontiguousarray(shown[:, :, ::-1]),
        show_mask(mask, view, side // TARGET_STRIDE).copy(),
        *find_knowledge(item, mask, maps),
        maps,
        np.array(view.in_fractions(image_hw), np.float32),
    )


def to_values(pixels: Tensor) -> Tensor:
    """Scale pixels of a batch as `demo.framing.to_pixel_values` does, where they are."""
    return pixels.float().mul_(1 / 255)
