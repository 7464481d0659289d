"""Measure what refined edges gain on photographs of people, for each variant in turn.

    python -m benchmarks.edges --voc DIR [--split FILE] [--limit N] [--json FILE]

Alpha of the class person (demo/background.py) is compared with the mask: its mean absolute error,
and the F-score of the boundary of what is more than half opaque, where a boundary pixel is right if
the other boundary is at most 0.3 % of the image's diagonal away. Void pixels do not count.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from demo.background import draw_alpha
from demo.classes import CLASS_NAMES, NOT_SEEN
from demo.inference import segment
from demo.models.registry import default_registry
from demo.variants import VARIANTS
from demo.voc import find_split

PERSON = CLASS_NAMES.index("person")
TOLERANCE = 0.003


def find_boundary(mask: NDArray[np.bool_], judged: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find the pixels on both sides of a mask's boundary that are judged."""
    kernel = np.ones((3, 3), np.uint8)
    edges = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, kernel)
    return (edges > 0) & judged


def score_boundary(
    found: NDArray[np.bool_], wanted: NDArray[np.bool_], judged: NDArray[np.bool_]
) -> float:
    """Compute the F-score of a boundary, in [0, 1]."""
    reach = max(1, round(TOLERANCE * float(np.hypot(*found.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    edges = [find_boundary(mask, judged) for mask in (found, wanted)]
    near = [cv2.dilate(edge.astype(np.uint8), disc) > 0 for edge in edges]
    precision = (edges[0] & near[1]).sum() / max(1, edges[0].sum())
    recall = (edges[1] & near[0]).sum() / max(1, edges[1].sum())
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edges", description=__doc__)
    parser.add_argument("--voc", type=Path, required=True, metavar="DIR")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    split = find_split(options.voc, options.split, options.limit, "person")
    rows = []
    print("| variant | edges | mean absolute error | boundary F-score | IoU |\n|" + "---|" * 5)
    for variant in VARIANTS:
        model = default_registry().get(variant)
        scores: dict[bool, list[tuple[float, float, float]]] = {False: [], True: []}
        for pair in tqdm(split.pairs, leave=False):
            image, truth = split.read(pair)
            segmentation = segment(image, model)
            judged, wanted = truth != NOT_SEEN, truth == PERSON
            for refine, found in scores.items():
                alpha = draw_alpha(image, segmentation, [PERSON], refine=refine) / 255
                is_kept = alpha > 0.5
                both, either = is_kept & wanted & judged, (is_kept | wanted) & judged
                error = np.abs(alpha - wanted)[judged].mean()
                boundary = score_boundary(is_kept, wanted, judged)
                found.append((float(error), boundary, float(both.sum() / max(1, either.sum()))))
        for refine, found in scores.items():
            error, boundary, iou = np.mean(found, axis=0).tolist()
            edges = "refined" if refine else "as they are"
            print(f"| {variant.upper()} | {edges} | {error:.4f} | {boundary:.3f} | {iou:.3f} |")
            row = {"variant": variant, "refined": refine, "images": len(found)}
            rows.append({**row, "mae": error, "boundary_f": boundary, "iou": iou})
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
