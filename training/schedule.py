"""What changes while training goes on, as functions of progress in [0, 1]."""

import math

import numpy as np

BATCH = {192: 48, 256: 28, 320: 18, 384: 12, 512: 6}
"""Scenes of a step at each side, over all workers: steps take about the same time."""

SIDES: tuple[tuple[float, dict[int, float]], ...] = (
    (0.40, {192: 0.5, 256: 0.5}),
    (0.68, {256: 0.5, 320: 0.5}),
    (0.84, {320: 0.5, 384: 0.5}),
    (1.00, {384: 0.3, 512: 0.7}),
)
"""Up to each progress, sides are drawn with these probabilities: small ones first, where many
photographs are seen in a minute; the side of the published figures last."""

FREEZE_AT = 0.84
"""Progress from which batch-norm uses its running statistics, as it will in the app."""

_WARM_UP = 0.02


def learning_rate(progress: float, peak: float) -> float:
    """Linear warm-up, then a cosine down to a thousandth of the peak."""
    if progress < _WARM_UP:
        return peak * max(progress / _WARM_UP, 0.02)
    along = min((progress - _WARM_UP) / (1 - _WARM_UP), 1.0)
    return peak * (0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * along)))


def draw_side(progress: float, seed: int, step: int) -> int:
    """The side of a step's scenes; the same on every worker."""
    shares = next((shares for until, shares in SIDES if progress < until), SIDES[-1][1])
    rng = np.random.default_rng([seed, step, 1])
    return int(rng.choice(list(shares), p=list(shares.values())))


def feature_weight(progress: float) -> float:
    """Weight of the teacher's features in the loss: they teach most at the beginning."""
    return 1.2 * (1 - progress) + 0.2


def average_decay(step: int) -> float:
    """Decay of the moving average of the weights, short at first."""
    return min(0.999, (1 + step) / (10 + step))
