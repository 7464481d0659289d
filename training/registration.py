"""Where the masks lie: how strong the pictures' edges are beside the masks' own.

python -m training.registration --people DIR

No network takes part. A mask that lies a pixel too far right has the pictures' strongest edges at
-1 on its left and its right sides alike; one that is merely too large has them inside on both.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.photographs import BACKGROUND, PERSON, Photograph, load_people

SIDES = ("left", "right", "upper", "lower")
REACH = 4
OFFSETS = np.arange(-REACH, REACH + 1)


def edge_strengths(photographs: Iterable[Photograph]) -> dict[str, NDArray[np.float64]]:
    """Measure the pictures' contrast across the masks' outlines, moved by each of `OFFSETS`.

    Args:
        photographs: with masks of background, person and void.

    Returns:
        For each of `SIDES`, the mean difference of grey (0 to 255) between the two pixels that an
        outline runs between when it is moved by so many pixels (right or down is positive).
    """
    sums = {side: np.zeros(len(OFFSETS)) for side in SIDES}
    counts = dict.fromkeys(SIDES, 0)
    for photograph in photographs:
        grey = cv2.cvtColor(photograph.pixels, cv2.COLOR_RGB2GRAY).astype(np.float64)
        for sides, picture, labels in (
            (SIDES[:2], grey, photograph.labels),
            (SIDES[2:], grey.T, photograph.labels.T),
        ):
            contrast = np.abs(np.diff(picture, axis=1))
            before, after = labels[:, REACH : -REACH - 1], labels[:, REACH + 1 : -REACH]
            for side, outline in zip(
                sides,
                (
                    (before == BACKGROUND) & (after == PERSON),
                    (before == PERSON) & (after == BACKGROUND),
                ),
                strict=True,
            ):
                rows, columns = np.nonzero(outline)
                sums[side] += contrast[rows[:, None], columns[:, None] + REACH + OFFSETS].sum(0)
                counts[side] += len(rows)
    return {side: sums[side] / max(counts[side], 1) for side in SIDES}


def strongest(strengths: NDArray[np.float64]) -> float:
    """Find the offset where a parabola through the highest strength and its neighbours peaks."""
    best = int(np.clip(np.argmax(strengths), 1, len(OFFSETS) - 2))
    below, middle, above = strengths[best - 1 : best + 2]
    return float(OFFSETS[best] + (below - above) / (2 * (below - 2 * middle + above)))


def main() -> None:
    """Print one line per side for the masks as published."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=Path, required=True, help="photographs, VOC layout")
    people = parser.parse_args().people
    for name, held_out in (("held out", True), ("for training", False)):
        photographs = load_people(people, held_out=held_out, as_published=True)
        head = f"{name} ({len(photographs)})".ljust(20)
        print(head, *(f"{offset:+5d}" for offset in OFFSETS), " strongest")
        for side, strengths in edge_strengths(photographs).items():
            values = (f"{value:5.1f}" for value in strengths)
            print(side.ljust(20), *values, f"{strongest(strengths):+10.2f}")


if __name__ == "__main__":
    main()
