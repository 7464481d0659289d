"""What changes while training goes on, as functions of progress in [0, 1]."""

import math
from dataclasses import dataclass

import numpy as np

BATCH = {192: 24, 256: 16, 384: 12, 512: 8}
"""Scenes of a step at each side, over all workers."""


@dataclass(frozen=True)
class Plan:
    """What a run does when.

    Attributes:
        sides: up to this progress, sides are drawn with these probabilities.
        label_at: progress at which the photographs without masks are labelled (anew).
        label_sides: sides of the network's input at which they are labelled.
    """

    sides: tuple[tuple[float, dict[int, float]], ...]
    label_at: tuple[float, ...]
    label_sides: tuple[int, ...]


FROM_SCRATCH = Plan(
    sides=(
        (0.15, {192: 0.7, 256: 0.3}),
        (0.45, {256: 0.8, 384: 0.2}),
        (0.75, {256: 0.55, 384: 0.25, 512: 0.2}),
        (1.00, {256: 0.3, 384: 0.25, 512: 0.45}),
    ),
    label_at=(0.45, 0.72),
    label_sides=(256, 384),
)
"""Small sides come first, where steps are cheap; the app's own sides last."""

FURTHER = Plan(
    sides=((1.00, {256: 0.15, 384: 0.35, 512: 0.5}),),
    label_at=(0.0, 0.5),
    label_sides=(512, 640),
)
"""For a network that is trained already."""

_WARM_UP = 0.03


def learning_rate(progress: float, peak: float) -> float:
    """Linear warm-up, then a cosine down to a thousandth of the peak."""
    if progress < _WARM_UP:
        return peak * max(progress / _WARM_UP, 0.02)
    along = min((progress - _WARM_UP) / (1 - _WARM_UP), 1.0)
    return peak * (0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * along)))


def draw_side(plan: Plan, progress: float, seed: int, step: int) -> int:
    """The side of a step's scenes; the same on every worker."""
    shares = next((shares for until, shares in plan.sides if progress < until), plan.sides[-1][1])
    rng = np.random.default_rng([seed, step, 1])
    return int(rng.choice(list(shares), p=list(shares.values())))


def average_decay(step: int) -> float:
    """Decay of the moving average of the weights, short at first."""
    return min(0.998, (1 + step) / (10 + step))


def pseudo_round(plan: Plan, progress: float) -> int:
    """How many times the photographs without masks should have been labelled by now."""
    return sum(progress >= at for at in plan.label_at)
