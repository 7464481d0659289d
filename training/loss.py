"""What the network is trained on: person or background, at a quarter of the side."""

import torch
from torch import Tensor
from torch.nn import functional

from training.photographs import BACKGROUND, PERSON

_DICE_SMOOTHING = 0.0025
"""Share of a scene that is counted as found, so that scenes without people have a Dice too."""


def person_margin(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, 21, h, w) logits -> (B, H, W) float32, person minus background, interpolated.

    The other classes stay far below both, so its sign is the argmax over all.
    """
    margin = (logits[:, PERSON] - logits[:, BACKGROUND]).float().unsqueeze(1)
    return functional.interpolate(margin, size=size, mode="bilinear", align_corners=False)[:, 0]


def segmentation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy plus half of the Dice loss, both without the unknown pixels.

    Dice is taken of each scene by itself, so that a figure in the distance weighs about as much as
    a face that fills the frame: half as much where it covers 0.25 % of the scene.

    Args:
        logits: (B, 21, side/16, side/16).
        target: (B, 2, side/4, side/4), see `training.scenes.encode_target`.

    Returns:
        a scalar.
    """
    margin = person_margin(logits, (int(target.shape[2]), int(target.shape[3])))
    share, known = target[:, 0], target[:, 1]
    entropy = functional.binary_cross_entropy_with_logits(margin, share, reduction="none")
    return (entropy * known).sum() / known.sum().clamp(min=1) + 0.5 * dice_loss(
        margin, share, known
    )


def dice_loss(margin: Tensor, share: Tensor, known: Tensor) -> Tensor:
    """Mean over scenes of 1 - Dice; each (B, h, w)."""
    likely = torch.sigmoid(margin) * known
    truth = share * known
    some = _DICE_SMOOTHING * known[0].numel()
    overlap = 2 * (likely * truth).sum((1, 2)) + some
    return 1 - (overlap / ((likely + truth).sum((1, 2)) + some)).mean()
