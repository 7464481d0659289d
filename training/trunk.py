"""Train the second half of a network alone, on features of its first half that are kept.

On a CPU three quarters of a step go into the large maps of the first layers. Where a network goes
on from a checkpoint, they can stay as they are: a scene's features are computed once, and serve in
several steps.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from transformers import MobileViTForSemanticSegmentation

_LAYERS = 3
"""How many of the encoder's five layers belong to the trunk; the last of them has stride 8."""

_FRESH = 0.3
_FIRST_STEPS = 40
_MOST_KEPT = 6000
"""Scenes of one side; at side 512 one takes 0.4 MB in XXS and 1 MB in S."""


def freeze_trunk(model: MobileViTForSemanticSegmentation) -> None:
    """Let the first layers, their batch-norm statistics too, stay as they are."""
    for part in _trunk(model):
        part.eval().requires_grad_(False)


def trunk_features(model: MobileViTForSemanticSegmentation, values: Tensor) -> Tensor:
    """(B, 3, side, side) pixel values -> (B, channels, side/8, side/8), without gradients."""
    features = values
    with torch.no_grad():
        for part in _trunk(model):
            features = part(features)
    return features


def logits_of_features(model: MobileViTForSemanticSegmentation, features: Tensor) -> Tensor:
    """What `trunk_features` returns -> (B, 21, side/16, side/16) logits."""
    for part in model.mobilevit.encoder.layer[_LAYERS:]:
        features = part(features)
    logits: Tensor = model.segmentation_head([features])
    return logits


def _trunk(model: MobileViTForSemanticSegmentation) -> list[nn.Module]:
    return [model.mobilevit.conv_stem, *model.mobilevit.encoder.layer[:_LAYERS]]


def count_fresh(size: int, steps: int, seed: Sequence[int]) -> int:
    """How many scenes of a step are new ones: all at first, later three in ten on average.

    Args:
        size: scenes of the step.
        steps: since the first that kept its features.
        seed: of the step.
    """
    if steps < _FIRST_STEPS:
        return size
    return int(size * _FRESH + np.random.default_rng(list(seed)).random())


class Replay:
    """The features of scenes that were drawn so far, to train on again."""

    def __init__(self) -> None:
        self._kept: dict[int, list[tuple[Tensor, Tensor]]] = {}

    def mix(
        self, features: Tensor, target: Tensor, size: int, seed: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """Keep new scenes, and return them with some of the same side that were kept before.

        Args:
            features: (fresh, channels, side/8, side/8).
            target: (fresh, 2, side/4, side/4).
            size: how many are wanted; fewer come back if not as many are kept.
            seed: of the step.

        Returns:
            features and targets of up to ``size`` scenes, float32.
        """
        kept = self._kept.setdefault(target.shape[-1], [])
        rng = np.random.default_rng(list(seed))
        again = min(size - len(target), len(kept))
        chosen = [kept[index] for index in rng.choice(len(kept), again, replace=False)]
        fresh = list(zip(features.half().cpu(), target.half(), strict=True))
        kept.extend(fresh)
        del kept[:-_MOST_KEPT]
        all_features, all_targets = zip(*fresh, *chosen, strict=True)
        return torch.stack(all_features).float(), torch.stack(all_targets).float()
