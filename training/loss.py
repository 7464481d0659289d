"""How far the network is from its targets."""

import torch
from torch import Tensor
from torch.nn import functional

from training.targets import Targets

_DICE_WEIGHT = 0.5
_DICE_SMOOTHING = 0.0025
"""Share of a scene that is counted as found, so that small things do not count for everything."""
_LEAST_SHARE = 0.002
"""Share of a scene from which a class counts in its Dice."""


def segmentation_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Cross-entropy with the targets plus half of the Dice loss where masks are known.

    Args:
        logits: (B, C, side/16, side/16).
        targets: at a quarter of the side.

    Returns:
        a scalar.
    """
    size = (int(targets.weights.shape[1]), int(targets.weights.shape[2]))
    fine = functional.interpolate(logits.float(), size=size, mode="bilinear", align_corners=False)
    log_shares = fine.log_softmax(dim=1)
    entropy = -(targets.shares * log_shares).sum(dim=1) * targets.weights
    entropy = entropy.sum() / targets.weights.sum().clamp(min=1)
    return entropy + _DICE_WEIGHT * dice_loss(log_shares.exp(), targets)


def dice_loss(shares: Tensor, targets: Targets) -> Tensor:
    """Mean of 1 - Dice over the classes of each scene with a mask, then over these scenes.

    Each class of a scene counts alike, so that a bird weighs as much as the sky around it.

    Args:
        shares: (B, C, G, G) probabilities.
        targets: of the same size.
    """
    weights = targets.weights[:, None]
    truth = (targets.shares * weights).sum((2, 3))
    said = (shares * weights).sum((2, 3))
    both = (shares * targets.shares * weights).sum((2, 3))
    cells = targets.weights[0].numel()
    some = _DICE_SMOOTHING * cells
    missed = 1 - (2 * both + some) / (truth + said + some)
    counted = (truth > _LEAST_SHARE * cells) * targets.exact[:, None]
    each = (missed * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1)
    return each.sum() / targets.exact.sum().clamp(min=1)


def feature_loss(said: list[Tensor], expected: Tensor, weights: list[Tensor]) -> Tensor:
    """Smooth L1 between the network's projected features and the teacher's, summed over depths.

    Args:
        said: for each depth (B, k, h, w).
        expected: (B, sum of all k, h, w) in standard deviations, depth after depth.
        weights: for each depth (k,).
    """
    depths = torch.split(expected, [one.shape[1] for one in said], dim=1)
    losses = [
        (functional.smooth_l1_loss(one.float(), other, reduction="none") * w[:, None, None]).mean()
        for one, other, w in zip(said, depths, weights, strict=True)
    ]
    return torch.stack(losses).sum()
