"""Pack a plan's photographs and maps into one small file, for a machine that reaches nothing.

python -m training.pack --plan training/voc21.toml --folder DIR --maps MAPS --out pack.tar.xz

In the archive lie `pack/`, with the same folders, so that the same plan reads it, and `pack-maps/`.
Photographs are smaller, and WebP whatever their names end with; maps are without features, and
their logits are rounded, so that they take about a kilobyte each.
"""

import argparse
import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.knowledge import read_maps
from training.maps import LOGIT_STEPS
from training.sources import Item, read_mask, read_pixels, read_plan
from training.teacher import CLASSES

_SMALLEST_LOGIT = -8
"""Logits further below the highest are rounded up to this: the class is out of the question."""


def choose(items: tuple[Item, ...], most: int) -> list[Item]:
    """All photographs with masks, and evenly spread ones of the others, at most so many."""
    others = [item for item in items if item.mask is None]
    every = max(-(-len(others) // most), 1)
    return [item for item in items if item.mask is not None] + others[::every]


def shrink(pixels: NDArray[np.uint8], longest: int, how: int = cv2.INTER_AREA) -> NDArray[np.uint8]:
    """Scale to a longest side; smaller pictures stay as they are."""
    scale = min(longest / max(pixels.shape[:2]), 1.0)
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


def round_logits(maps: NDArray[np.int8]) -> NDArray[np.int8]:
    """Take the highest logit off all of a cell, and round to whole units; (33, 33, 21) int8."""
    logits = maps[..., :CLASSES].astype(np.float32) / LOGIT_STEPS
    below = np.rint(logits - logits.max(axis=2, keepdims=True)).clip(min=_SMALLEST_LOGIT)
    return np.asarray(below * LOGIT_STEPS, np.int8)


def pack_item(item: Item, longest: int, quality: int) -> dict[str, bytes]:
    """A smaller photograph, and its mask if there is one, by their paths in the plan's folder."""
    pixels = read_pixels(item.path)
    rgb = np.ascontiguousarray(shrink(pixels, longest)[:, :, ::-1])
    how = [cv2.IMWRITE_WEBP_QUALITY, quality]
    files = {item.name: cv2.imencode(".webp", rgb, how)[1].tobytes()}
    if item.mask is not None:
        mask = read_mask(item, pixels.shape[:2], as_published=True)
        small = shrink(mask, longest, cv2.INTER_NEAREST_EXACT)
        name = item.name.replace("JPEGImages", "SegmentationClass")
        files[str(Path(name).with_suffix(".png"))] = cv2.imencode(".png", small)[1].tobytes()
    return files


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def add_photographs(
    archive: tarfile.TarFile, items: list[Item], longest: int, quality: int
) -> None:
    """Write photographs, and their masks, below `pack/`."""
    for item in items:
        for name, content in pack_item(item, longest, quality).items():
            _add(archive, f"pack/{name}", content)


def add_maps(archive: tarfile.TarFile, items: list[Item], maps: Path) -> None:
    """Write what the teacher says of photographs below `pack-maps/`."""
    for item in items:
        file = io.BytesIO()
        np.save(file, round_logits(read_maps(maps, item)))
        _add(archive, f"pack-maps/{item.name}.npy", file.getvalue())


def main() -> None:
    """Read the command line and write the archive."""
    parser = argparse.ArgumentParser(prog="python -m training.pack", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="of the plan's folders")
    parser.add_argument("--maps", type=Path, help="folder of the teacher's maps")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=2000, help="photographs without masks")
    parser.add_argument("--longest", type=int, default=208, help="side in pixels")
    parser.add_argument("--quality", type=int, default=45)
    options = parser.parse_args()
    plan = read_plan(options.plan, options.folder)
    items = choose(plan.train, options.most)
    checks = [item for each in plan.checks.values() for item in each[::3]]
    with tarfile.open(options.out, "w:xz") as archive:
        add_photographs(archive, items + checks, options.longest, options.quality)
        if options.maps:
            add_maps(archive, items, options.maps)
    megabytes = options.out.stat().st_size / 1e6
    print(f"{len(items)} photographs, {megabytes:.1f} MB")


if __name__ == "__main__":
    main()
