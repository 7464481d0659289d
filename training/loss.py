"""What the network is trained on: person or background, at a quarter of the side."""

import torch
from torch import Tensor
from torch.nn import functional

from training.photographs import BACKGROUND, PERSON


def person_margin(logits: Tensor) -> Tensor:
    """(B, 21, h, w) logits -> (B, 1, h, w) float32, person minus background.

    The other classes stay far below both, so its sign is the argmax over all.
    """
    return (logits[:, PERSON] - logits[:, BACKGROUND]).float().unsqueeze(1)


def segmentation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy plus half of the Dice loss, both without the unknown pixels.

    Args:
        logits: (B, 21, side/16, side/16).
        target: (B, 2, side/4, side/4), see `training.scenes.encode_target`.

    Returns:
        a scalar.
    """
    size = (int(target.shape[2]), int(target.shape[3]))
    margin = functional.interpolate(
        person_margin(logits), size=size, mode="bilinear", align_corners=False
    )[:, 0]
    share, known = target[:, 0], target[:, 1]
    entropy = functional.binary_cross_entropy_with_logits(margin, share, reduction="none")
    likely = torch.sigmoid(margin) * known
    truth = share * known
    overlap = 2 * (likely * truth).sum() + 1
    dice = 1 - overlap / (likely.sum() + truth.sum() + 1)
    return (entropy * known).sum() / known.sum().clamp(min=1) + 0.5 * dice
