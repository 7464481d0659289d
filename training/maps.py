"""What the teacher sees in each photograph, stored on disk.

python -m training.maps --plan training/voc21.toml --folder DIR --teacher FILE --maps DIR

For each photograph one array of 33×33 cells: the logits of the teacher's 21 classes, and features
at four depths, which tell a small network more than the logits do (A. Romero and others, "FitNets:
Hints for thin deep nets", ICLR 2015). Features are reduced to their main directions. Where no mask
knows all classes, they are means over the photograph and its mirror image. Given again, the command
does only what is missing.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.cpus import usable_cpus
from training.sources import Item, read_pixels, read_plan
from training.teacher import CELLS, CLASSES, DEPTHS, Teacher

LOGIT_STEPS = 4
"""Steps of a stored logit in one unit."""
FEATURE_STEPS = 32
"""Steps of a stored feature in one standard deviation."""
CHANNELS = CLASSES + sum(depth.stored for depth in DEPTHS)

_SAMPLE = 400
_BASIS = "basis.npz"

Basis = list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]
"""For each depth the mean (C,), the directions (C, k), each divided by its standard deviation,
and weights (k,) that favour the directions of much variance."""


def find_basis(teacher: Teacher, paths: Sequence[Path]) -> Basis:
    """Main directions of the features over some photographs."""
    seen = [teacher.look(read_pixels(path), twice=False)[1:] for path in paths]
    basis: Basis = []
    for number, depth in enumerate(DEPTHS):
        rows = np.concatenate([maps[number].reshape(CELLS**2, -1)[::7] for maps in seen])
        mean: NDArray[np.float32] = rows.mean(0, dtype=np.float32)
        variances, directions = np.linalg.eigh(np.cov(rows - mean, rowvar=False))
        variances, directions = (
            variances[::-1][: depth.stored],
            directions[:, ::-1][:, : depth.stored],
        )
        weights = (variances / variances.mean()) ** 0.25
        scaled = np.asarray(directions / np.sqrt(variances), np.float32)
        basis.append((mean, scaled, np.asarray(weights, np.float32)))
    return basis


def save_basis(basis: Basis, maps: Path) -> None:
    """Write a basis into a folder of maps."""
    arrays = {
        f"{part}{number}": array
        for number, parts in enumerate(basis)
        for part, array in zip(("mean", "directions", "weights"), parts, strict=True)
    }
    np.savez(maps / _BASIS, **arrays)  # type: ignore[arg-type]


def load_basis(maps: Path) -> Basis:
    """The basis of a folder of maps; none where these are without features."""
    if not (maps / _BASIS).exists():
        return []
    with np.load(maps / _BASIS) as arrays:
        return [
            (arrays[f"mean{number}"], arrays[f"directions{number}"], arrays[f"weights{number}"])
            for number in range(len(DEPTHS))
        ]


def encode_maps(maps: list[NDArray[np.float32]], basis: Basis) -> NDArray[np.int8]:
    """(33, 33, `CHANNELS`) int8: logits in `LOGIT_STEPS`, then features in `FEATURE_STEPS`."""
    parts: list[NDArray[Any]] = [maps[0] * LOGIT_STEPS]
    for features, (mean, directions, _) in zip(maps[1:], basis, strict=True):
        parts.append((features - mean) @ directions * FEATURE_STEPS)
    steps = np.rint(np.concatenate(parts, axis=2))
    return np.asarray(np.clip(steps, -127, 127), np.int8)


def map_path(maps: Path, name: str) -> Path:
    """Where the maps of a photograph lie."""
    return maps / f"{name}.npy"


_opened: list[tuple[Teacher, Basis]] = []
"""What this process looks with, if it was started to look."""


def _open(path: Path, maps: Path) -> None:
    cv2.setNumThreads(1)
    os.nice(5)
    _opened.append((Teacher(path), load_basis(maps)))


def _look(job: tuple[Item, Path]) -> None:
    item, out = job
    teacher, basis = _opened[0]
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_suffix(".tmp")
    with unfinished.open("wb") as file:
        twice = item.mask is None or bool(item.partial)
        seen = teacher.look(read_pixels(item.path), twice=twice)
        np.save(file, encode_maps(seen, basis))
    unfinished.replace(out)


def make_maps(teacher: Path, items: Sequence[Item], maps: Path) -> None:
    """Write the maps that are missing, in one process per core.

    Args:
        teacher: the TFLite file.
        items: photographs.
        maps: folder to write to.
    """
    missing = [item for item in items if not map_path(maps, item.name).exists()]
    if not missing:
        return
    maps.mkdir(parents=True, exist_ok=True)
    if not (maps / _BASIS).exists():
        print(f"teacher: main directions of {_SAMPLE} photographs", flush=True)
        sample = [item.path for item in missing[:: max(len(missing) // _SAMPLE, 1)]]
        save_basis(find_basis(Teacher(teacher), sample), maps)
    jobs = [(item, map_path(maps, item.name)) for item in missing]
    context = get_context("spawn")
    with ProcessPoolExecutor(usable_cpus(), context, _open, (teacher, maps)) as pool:
        for done, _ in enumerate(pool.map(_look, jobs, chunksize=8), 1):
            if done % 500 == 0:
                print(f"teacher: {done} of {len(jobs)} photographs", flush=True)


def main() -> None:
    """Read the command line and write the maps."""
    parser = argparse.ArgumentParser(prog="python -m training.maps", description=__doc__)
    for option in ("--plan", "--folder", "--teacher", "--maps"):
        parser.add_argument(option, type=Path, required=True)
    options = parser.parse_args()
    make_maps(options.teacher, read_plan(options.plan, options.folder).train, options.maps)


if __name__ == "__main__":
    main()
