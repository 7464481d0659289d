"""Where the masks lie: how strong the pictures' edges are beside the masks' own.

python -m training.registration --people DIR

No network takes part. A mask that lies a pixel too far right has the pictures' strongest edges at
-1 on its left and its right sides alike; one that is merely too large has them inside on both.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.photographs import BACKGROUND, PERSON, Photograph, load_people

REACH = 4
OFFSETS = np.arange(-REACH, REACH + 1)


def edge_strengths(photographs: Iterable[Photograph]) -> dict[str, NDArray[np.float64]]:
    """Measure the pictures' contrast across the masks' outlines, moved by each of `OFFSETS`.

    Args:
        photographs: with masks of background, person and void.

    Returns:
        For the left, right, upper and lower sides of people, the mean difference of grey (0 to 255)
        between the two pixels that an outline runs between when it is moved by so many pixels
        (right or down is positive).
    """
    found: dict[str, list[NDArray[np.float64]]] = {}
    for photograph in photographs:
        grey = cv2.cvtColor(photograph.pixels, cv2.COLOR_RGB2GRAY).astype(np.float64)
        labels = photograph.labels
        for side, contrasts in (
            ("left", _contrasts(grey, labels, BACKGROUND, PERSON)),
            ("right", _contrasts(grey, labels, PERSON, BACKGROUND)),
            ("upper", _contrasts(grey.T, labels.T, BACKGROUND, PERSON)),
            ("lower", _contrasts(grey.T, labels.T, PERSON, BACKGROUND)),
        ):
            found.setdefault(side, []).append(contrasts)
    return {side: np.concatenate(contrasts).mean(0) for side, contrasts in found.items()}


def _contrasts(
    grey: NDArray[np.float64], labels: NDArray[np.uint8], before: int, after: int
) -> NDArray[np.float64]:
    """Differences of grey along rows about each place where one label follows another.

    Returns:
        One row per place that is not at the picture's edge, one column per offset.
    """
    outline = (labels[:, :-1] == before) & (labels[:, 1:] == after)
    rows, columns = np.nonzero(outline[:, REACH:-REACH])
    differences = np.abs(np.diff(grey, axis=1))
    return np.asarray(differences[rows[:, None], columns[:, None] + REACH + OFFSETS])


def strongest(strengths: NDArray[np.float64]) -> float:
    """Find the offset where a parabola through the highest strength and its neighbours peaks."""
    best = int(np.clip(np.argmax(strengths), 1, len(OFFSETS) - 2))
    below, middle, above = strengths[best - 1 : best + 2]
    return float(OFFSETS[best] + (below - above) / (2 * (below - 2 * middle + above)))


def main(arguments: list[str]) -> None:
    """Print one line per side of people, for the masks as published."""
    parser = argparse.ArgumentParser(prog="python -m training.registration", description=__doc__)
    parser.add_argument("--people", type=Path, required=True, help="photographs, VOC layout")
    people = parser.parse_args(arguments).people
    for name, held_out in (("held out", True), ("for training", False)):
        photographs = load_people(people, held_out=held_out, as_published=True)
        head = f"{name} ({len(photographs)})".ljust(20)
        print(head, *(f"{offset:+5d}" for offset in OFFSETS), " strongest")
        for side, strengths in edge_strengths(photographs).items():
            values = (f"{value:5.1f}" for value in strengths)
            print(side.ljust(20), *values, f"{strongest(strengths):+10.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
