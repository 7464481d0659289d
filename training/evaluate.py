"""Print a checkpoint's figures on the pictures that training never saw.

    python -m training.evaluate --variant xxs --checkpoint DIR --people DIR --empty DIR

Every figure comes from the app's own `segment()` at the original size of the picture.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from demo.inference import segment
from demo.models.loading import load_folder
from demo.variants import VARIANTS, get_variant
from training.measures import Segmenter, count_overlap, false_person_share, person_iou
from training.photographs import Photograph, load_empty, load_people
from training.stress import STRESS_SETS

SIDES = (512, 384, 256)


def open_segmenter(folder: Path, variant: str) -> Segmenter:
    """The app's segment() with the checkpoint of a folder, on whole pictures."""
    model = load_folder(folder, get_variant(variant))
    return lambda pixels, side: segment(pixels, model, side=side).class_map


def agreement(one: Segmenter, other: Segmenter, pictures: Sequence[Photograph]) -> float:
    """Share of all pixels with the same class id from both, at side 512."""
    same = total = 0
    for picture in pictures:
        equal = one(picture.pixels, 512) == other(picture.pixels, 512)
        same, total = same + int(equal.sum()), total + equal.size
    return same / max(total, 1)


def print_table(
    segmenter: Segmenter,
    people: list[Photograph],
    as_published: list[Photograph],
    empty: list[Photograph],
) -> None:
    """Print one row per set of pictures and one column per side."""
    print(f"{'':28}" + "".join(f"{side:>9}" for side in SIDES))
    sets = {f"held-out photographs ({len(people)})": people}
    sets["  their masks as published"] = as_published
    sets |= {name: make(people, empty) for name, make in STRESS_SETS.items()}
    for name, pictures in sets.items():
        ious = (person_iou(count_overlap(segmenter, pictures, side)) for side in SIDES)
        print(f"{name:28}" + "".join(f"{iou:9.3f}" for iou in ious), flush=True)
    shares = (false_person_share(count_overlap(segmenter, empty, side)) for side in SIDES)
    name = f"false person, nobody ({len(empty)})"
    print(f"{name:28}" + "".join(f"{share:9.2%}" for share in shares))


def main(arguments: list[str]) -> None:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--variant", choices=list(VARIANTS), required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--people", type=Path, required=True, help="photographs, VOC layout")
    parser.add_argument("--empty", type=Path, required=True, help="pictures without people")
    parser.add_argument("--float32", type=Path, help="the same checkpoint in float32, to compare")
    options = parser.parse_args(arguments)
    people = load_people(options.people, held_out=True)
    empty = load_empty(options.empty, held_out=True)
    segmenter = open_segmenter(options.checkpoint, options.variant)
    if options.float32:
        precise = open_segmenter(options.float32, options.variant)
        share = agreement(segmenter, precise, [*people, *empty])
        print(f"pixels with the same class in fp16 and fp32: {share:.4%}")
    as_published = load_people(options.people, held_out=True, as_published=True)
    print_table(segmenter, people, as_published, empty)


if __name__ == "__main__":
    main(sys.argv[1:])
