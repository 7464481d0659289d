"""The bias of person is set where intersection over union is best."""

import numpy as np
import pytest
import torch
from torch import Tensor

from training.calibration import SHIFTS, best_shift, count_at_shifts
from training.photographs import PERSON, VOID, make_photograph


@pytest.mark.parametrize("offset", [-0.75, 0.0, 0.5, 1.75])
def test_an_offset_is_found(offset: float) -> None:
    """A network that is right but for a constant, on a picture whose left half is person."""
    labels = np.zeros((64, 64), np.uint8)
    labels[:, :32] = PERSON
    labels[:8] = VOID
    picture = make_photograph("1", np.zeros((64, 64, 3), np.uint8), labels)

    def network(values: Tensor) -> Tensor:
        logits = torch.full((1, 21, 4, 4), -12.0)
        logits[:, 0] = 0
        logits[:, PERSON] = torch.tensor([1.0, 0.5, -0.5, -1.0]) + offset
        return logits

    counts = count_at_shifts(network, [picture], side=64)
    assert counts.shape == (2, len(SHIFTS))
    assert best_shift(counts) == offset
