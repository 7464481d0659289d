"""Where person begins: the bias of its logit, set on pictures that the network was trained on.

The Dice loss rewards a little too much person wherever the network is unsure; what is shown is the
higher logit, so the bias is moved to where intersection over union is best.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from demo.framing import to_pixel_values
from training.loss import person_margin
from training.measures import Network
from training.photographs import PERSON, VOID, Photograph
from training.views import squash

SHIFTS = torch.arange(-16, 49) / 16
"""What may be taken off the logit of person."""


def count_at_shifts(network: Network, pictures: Iterable[Photograph], side: int) -> Tensor:
    """Intersection and union of person over all pictures for each of `SHIFTS`; (2, n) float64."""
    counts = torch.zeros(2, len(SHIFTS), dtype=torch.float64)
    for picture in pictures:
        values = torch.from_numpy(to_pixel_values(squash(picture.pixels, side)))
        size = (int(picture.labels.shape[0]), int(picture.labels.shape[1]))
        margin = person_margin(network(values), size)  # (1, H, W), where the network is
        labels = torch.from_numpy(picture.labels).to(margin.device)
        true = labels == PERSON
        said = (margin > SHIFTS.to(margin.device)[:, None, None]) & (labels != VOID)
        pixels = torch.stack([(said & true).sum((1, 2)), (said | true).sum((1, 2))])
        counts += pixels.cpu()
    return counts


def best_shift(counts: Tensor) -> float:
    """The shift with the highest intersection over union; see `count_at_shifts`."""
    return float(SHIFTS[(counts[0] / counts[1].clamp(min=1)).argmax()])
