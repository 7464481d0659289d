"""Labels for the photographs without masks, from the network's own certain opinion."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demo.framing import to_pixel_values
from training.loss import person_margin
from training.measures import Network
from training.photographs import BACKGROUND, PERSON, VOID, Photograph, make_photograph, read_pixels
from training.views import squash

_SIDES = (256, 384)
_CERTAIN = 0.85
_NOTE = "rounds.txt"
_LEAST_PERSON = 0.02


def guess_labels(network: Network, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Label a photograph by the mean over two sides and two directions.

    Args:
        network: the averaged model.
        pixels: H×W×3 uint8 RGB.

    Returns:
        H×W uint8: person above 85 % probability, background below 15 %, void between.
    """
    size = (int(pixels.shape[0]), int(pixels.shape[1]))
    with torch.inference_mode():
        shares = [_person_share(network, pixels, side, size) for side in _SIDES]
    share = torch.stack(shares).mean(dim=0).numpy()
    labels = np.full(size, VOID, np.uint8)
    labels[share > _CERTAIN] = PERSON
    labels[share < 1 - _CERTAIN] = BACKGROUND
    return labels


def _person_share(
    network: Network, pixels: NDArray[np.uint8], side: int, size: tuple[int, int]
) -> Tensor:
    """(H, W) probability of person, averaged over the picture and its mirror image."""
    values = torch.from_numpy(to_pixel_values(squash(pixels, side)))
    logits = torch.cat([network(values), network(values.flip(3)).flip(3)]).cpu()
    return torch.sigmoid(person_margin(logits, size).mean(dim=0))


def label_photographs(network: Network, paths: list[Path], folder: Path) -> None:
    """Write one numpy file of labels per photograph; those of an earlier round are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        unfinished = folder / f"{path.stem}.tmp.npy"
        np.save(unfinished, guess_labels(network, read_pixels(path)))
        unfinished.replace(folder / f"{path.stem}.npy")


def rounds_done(folder: Path) -> int:
    """How many rounds of labels were written to the end."""
    note = folder / _NOTE
    return int(note.read_text()) if note.exists() else 0


def note_round(folder: Path, count: int) -> None:
    """Note that a round of labels is complete."""
    (folder / _NOTE).write_text(f"{count}\n")


def load_labelled(paths: list[Path], folder: Path) -> list[Photograph]:
    """Read photographs with their guessed labels; those with hardly any person are left out."""
    photographs = []
    for path in paths:
        labels = np.load(folder / f"{path.stem}.npy")
        if (labels == PERSON).mean() >= _LEAST_PERSON:
            photographs.append(make_photograph(path.stem, read_pixels(path), labels))
    return photographs
