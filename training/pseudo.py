"""Labels for the photographs without masks, from the opinion of one or more networks.

python -m training.pseudo --people DIR --checkpoints DIR DIR --out LABELS

A training run labels with its own network, unless --labels gives it what this command wrote.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demo.framing import to_pixel_values
from training.loss import person_margin
from training.measures import Network
from training.model import read_variant, read_weights
from training.optimisers import OPTIMISERS
from training.photographs import (
    PERSON,
    Photograph,
    list_unlabelled,
    make_photograph,
    read_pixels,
)
from training.schedule import FURTHER
from training.trainer import Trainer
from training.views import squash
from training.workers import Worker, run_workers

_NOTE = "rounds.txt"
_LEAST_PERSON = 0.02


def guess_labels(
    networks: Sequence[Network], pixels: NDArray[np.uint8], sides: Sequence[int]
) -> NDArray[np.uint8]:
    """Label a photograph by the mean over networks, sides and both directions.

    Args:
        networks: at least one.
        pixels: H×W×3 uint8 RGB.
        sides: of the networks' input, at least one.

    Returns:
        H×W uint8: the probability of person in fifteenths, see `training.photographs.Photograph`.
    """
    size = (int(pixels.shape[0]), int(pixels.shape[1]))
    shares = []
    with torch.inference_mode():
        for side in sides:
            values = torch.from_numpy(to_pixel_values(squash(pixels, side)))
            shares += [_person_share(network, values, size) for network in networks]
    share = torch.stack(shares).mean(dim=0)
    return (share * PERSON).round().to(torch.uint8).cpu().numpy()


def _person_share(network: Network, values: Tensor, size: tuple[int, int]) -> Tensor:
    """(H, W) probability of person, averaged over the picture and its mirror image."""
    logits = network(torch.cat([values, values.flip(3)]))
    logits[1] = logits[1].flip(2)
    return torch.sigmoid(person_margin(logits, size).mean(dim=0))


def label_photographs(
    networks: Sequence[Network], paths: Sequence[Path], folder: Path, sides: Sequence[int]
) -> None:
    """Write one numpy file of labels per photograph; those of an earlier round are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        unfinished = folder / f"{path.stem}.tmp.npy"
        np.save(unfinished, guess_labels(networks, read_pixels(path), sides))
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
        if (labels > PERSON // 2).mean() >= _LEAST_PERSON:
            photographs.append(make_photograph(path.stem, read_pixels(path), labels))
    return photographs


def _open_network(worker: Worker, folder: Path) -> Network:
    trainer = Trainer(read_variant(folder), 1, worker, OPTIMISERS[0])
    trainer.start_from(read_weights(folder))
    return trainer.predict


def _label(worker: Worker, people: Path, checkpoints: list[Path], out: Path) -> None:
    """One worker's share of the photographs."""
    networks = [_open_network(worker, folder) for folder in checkpoints]
    mine = list_unlabelled(people)[worker.rank :: worker.count]
    for start in range(0, len(mine), 50):
        label_photographs(networks, mine[start : start + 50], out, FURTHER.label_sides)
        if worker.leads:
            print(f"{min(start + 50, len(mine))} of {len(mine)}", flush=True)
    worker.wait()
    if worker.leads:
        note_round(out, 1)


def main(arguments: list[str]) -> None:
    """Read the command line and write the labels."""
    parser = argparse.ArgumentParser(prog="python -m training.pseudo", description=__doc__)
    parser.add_argument("--people", type=Path, required=True, help="photographs, VOC layout")
    parser.add_argument("--checkpoints", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for --labels of training")
    options = parser.parse_args(arguments)
    run_workers(_label, options.people, options.checkpoints, options.out)


if __name__ == "__main__":
    main(sys.argv[1:])
