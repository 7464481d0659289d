"""Figures on photographs with masks, at their original size."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demo.classes import CLASS_NAMES
from training.segmenters import Segmenter
from training.sources import VOID, Item, read_mask, read_pixels


def count_pixels(
    segmenter: Segmenter, items: Iterable[Item], side: int, count: int = len(CLASS_NAMES)
) -> Tensor:
    """Sum what `count_picture` counts over photographs; (C, C) float64 for a count C of classes."""
    counts = np.zeros((count, count))
    for item in items:
        pixels = read_pixels(item.path)
        counts += count_picture(segmenter(pixels, side), item)
    return torch.from_numpy(counts)


def count_picture(said: NDArray[np.uint8], item: Item) -> NDArray[np.int64]:
    """Pixels by true class (rows) and by what is said (columns); (C, C).

    Where masks know some classes only, everything else counts as background, on both sides.
    Masks are taken as published, not shifted.

    Args:
        said: H×W uint8 class ids.
        item: whose mask is the truth.
    """
    truth = read_mask(item, said.shape, as_published=True)
    if item.partial:
        said = np.where(np.isin(said, item.partial), said, np.uint8(0))
    judged, count = truth != VOID, len(item.classes)
    pairs = truth[judged].astype(np.int64) * count + said[judged]
    return np.bincount(pairs, minlength=count**2).reshape(count, count)


def class_ious(counts: Tensor, names: Sequence[str] = CLASS_NAMES) -> dict[str, float]:
    """Intersection over union of each class that the masks show, summed over all pixels."""
    hits = counts.diagonal()
    unions = counts.sum(0) + counts.sum(1) - hits
    shown = torch.nonzero(counts.sum(1)).flatten().tolist()
    return {names[i]: float(hits[i] / unions[i]) for i in shown}


def mean_iou(counts: Tensor) -> float:
    """Mean of `class_ious`, background included."""
    ious = class_ious(counts, [str(i) for i in range(len(counts))]).values()
    return sum(ious) / max(len(ious), 1)


def false_share(counts: Tensor) -> float:
    """Share of all pixels that are called something although they are background."""
    return float(counts[0, 1:].sum() / counts.sum())


def describe(counts: Tensor, items: Sequence[Item]) -> str:
    """The figures of one folder that a plan checks, in words."""
    names = items[0].classes
    ious = class_ious(counts, names)
    asked = sorted({names[i] for item in items for i in item.partial})
    if not asked:
        each = " ".join(f"{name} {value:.2f}" for name, value in ious.items())
        return f"mIoU {mean_iou(counts):.4f} ({each})"
    if set(ious) & set(asked):
        return " ".join(f"{name} {ious[name]:.4f}" for name in asked)
    return f"{' '.join(asked)} where there is none {false_share(counts):.2%}"
