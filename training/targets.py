"""What the network is to say: masks where they know, the teacher's opinion elsewhere."""

from typing import NamedTuple

import torch
from torch import Tensor

from training.maps import FEATURE_STEPS, LOGIT_STEPS
from training.scenes import Batch
from training.sources import VOID
from training.teacher import CELLS, CLASSES, SIDE, STRIDE

_TEACHER_SHARE = 0.2
"""Weight of the teacher where a mask of all classes knows better."""


class Targets(NamedTuple):
    """G cells along a side.

    Attributes:
        shares: (B, C, G, G) float32, a distribution over classes in each cell.
        weights: (B, G, G) float32, 0 where nothing is known.
        exact: (B,) float32, 1 for scenes whose mask, if only in part, is known.
    """

    shares: Tensor
    weights: Tensor
    exact: Tensor


def sample_cells(maps: Tensor, boxes: Tensor, count: int) -> Tensor:
    """Interpolate the teacher's cells bilinearly in the middles of count×count cells of a view.

    The corners of the teacher's grid lie in the middles of the corner pixels of its input.

    Args:
        maps: (B, 33, 33, C) float32.
        boxes: (B, 4) float32 in sizes of the photograph, see `training.scenes.Batch`.
        count: cells along a side.

    Returns:
        (B, C, count, count) float32.
    """
    down, across = (_weights(boxes[:, i], boxes[:, i + 2], count) for i in (0, 1))
    rows = torch.bmm(down, maps.flatten(2)).view(len(maps), count, CELLS, -1)
    return torch.einsum("bjk,bikc->bcij", across, rows)


def _weights(start: Tensor, stop: Tensor, count: int) -> Tensor:
    """(B, count, 33): how much each cell of the teacher counts at each place along one axis."""
    middles = (torch.arange(count, device=start.device) + 0.5) / count
    places = start[:, None] + (stop - start)[:, None] * middles
    at = ((places * SIDE - 0.5) / STRIDE).clamp(0, CELLS - 1)
    cells = torch.arange(CELLS, device=start.device)
    return (1 - (at[:, :, None] - cells).abs()).clamp(min=0)


def build_targets(batch: Batch) -> Targets:
    """Join masks and the teacher's opinion.

    Args:
        batch: on the device of the network.
    """
    masks = batch.masks.long()
    outside = masks == VOID
    ids = masks.masked_fill(outside, 0)
    exact = torch.nn.functional.one_hot(ids, batch.known.shape[1]).permute(0, 3, 1, 2).float()
    known = batch.known.gather(1, ids.flatten(1)).view_as(ids)
    opinion, weights = _ask_teacher(batch, exact), (~outside).float()
    if not batch.maps.shape[3]:  # without a teacher, what a partial mask leaves is background
        weights *= batch.known.any(dim=1)[:, None, None]
    whole = batch.known.all(dim=1)[:, None, None]
    share = torch.where(known, torch.where(whole, 1 - _TEACHER_SHARE, 1.0), 0.0)[:, None]
    return Targets(share * exact + (1 - share) * opinion, weights, batch.known.any(dim=1).float())


def _ask_teacher(batch: Batch, exact: Tensor) -> Tensor:
    """(B, C, G, G) probabilities of the teacher; the mask itself where there is none."""
    if not batch.maps.shape[3]:
        return exact
    logits = sample_cells(
        batch.maps[..., :CLASSES].float() / LOGIT_STEPS, batch.boxes, exact.shape[2]
    )
    logits = logits + batch.raised[:, :, None, None]
    return logits.masked_fill(~batch.allowed[:, :, None, None], -30.0).softmax(dim=1)


def sample_features(batch: Batch, count: int) -> Tensor:
    """(B, channels, count, count) float32 features of the teacher in standard deviations."""
    return sample_cells(batch.maps[..., CLASSES:].float() / FEATURE_STEPS, batch.boxes, count)
