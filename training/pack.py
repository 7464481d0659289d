"""Copy a plan's photographs, smaller, so that a machine without a network can train with them.

python -m training.pack --plan training/voc21.toml --folder DIR --out DIR --most 4000

The copy has the same folders, so the same plan reads it. Names keep their endings, whatever the
files hold: WebP, at a longest side that suits the first three quarters of a run.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.sources import Item, read_mask, read_pixels, read_plan


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


def copy_item(item: Item, root: Path, out: Path, longest: int, quality: int) -> int:
    """Write a smaller copy of a photograph and its mask; returns the bytes written."""
    pixels = read_pixels(item.path)
    target = out / item.name
    target.parent.mkdir(parents=True, exist_ok=True)
    rgb = np.ascontiguousarray(shrink(pixels, longest)[:, :, ::-1])
    encoded = cv2.imencode(".webp", rgb, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
    target.write_bytes(encoded)
    if item.mask is None:
        return len(encoded)
    mask = read_mask(item, pixels.shape[:2], as_published=True)
    target = out / item.mask.relative_to(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), shrink(mask, longest, cv2.INTER_NEAREST_EXACT))
    return len(encoded) + target.stat().st_size


def main() -> None:
    """Read the command line and write the copy."""
    parser = argparse.ArgumentParser(prog="python -m training.pack", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="of the plan's folders")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=4000, help="photographs without masks")
    parser.add_argument("--longest", type=int, default=256, help="side in pixels")
    parser.add_argument("--quality", type=int, default=60)
    options = parser.parse_args()
    plan = read_plan(options.plan, options.folder)
    items = choose(plan.train, options.most) + [i for each in plan.checks.values() for i in each]
    written = sum(
        copy_item(item, options.folder, options.out, options.longest, options.quality)
        for item in items
    )
    print(f"{len(items)} photographs, {written / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
