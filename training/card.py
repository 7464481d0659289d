"""Write the card of a checkpoint: figures by class, protocol, origins, contact sheet.

python -m training.card --plan training/voc21.toml --folder DIR --checkpoint DIR --float32 DIR

Every figure comes from the app's own segment() at the original size of the photographs. A class
that the checkpoint never gets right is left out of it first. Card and sheet are written into the
checkpoint's folder, and the mean into its config.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from demo.exports import encode_jpeg
from training.contact_sheet import Example, draw_sheet, look
from training.measures import class_ious, describe
from training.model import load_checkpoint, read_variant, save_checkpoint
from training.segmenters import open_checkpoint
from training.sources import Item, Plan, read_pixels, read_plan

SIDE = 512
_LEAST_IOU = 0.005
"""A class below this is never right, and is left out."""


def count_all(examples: Sequence[Example]) -> Tensor:
    """Sum the pixel counts of photographs; (C, C) float64."""
    return torch.from_numpy(np.sum([each.counts for each in examples], axis=0).astype(float))


def leave_out_classes(folder: Path, counts: Tensor, classes: Sequence[str]) -> list[str]:
    """Rewrite a checkpoint without the classes that it never gets right.

    Returns:
        the names of the classes that were left out.
    """
    ious = class_ious(counts, classes)
    wrong = [name for name in classes if ious.get(name, 1.0) < _LEAST_IOU]
    if wrong:
        others = [name for name in classes if name not in wrong]
        save_checkpoint(load_checkpoint(folder, 1, classes), folder, others)
    return wrong


def note_figure(folder: Path, mean_iou: float) -> None:
    """Write the mean IoU into a checkpoint's config, where the app reads it."""
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["measured"] = {"miou": round(100 * mean_iou, 1)}
    file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def agreement(folder: Path, other: Path, items: Sequence[Item]) -> float:
    """Share of all pixels to which two checkpoints give the same class id."""
    one, two = open_checkpoint(folder), open_checkpoint(other)
    equal = [one(p, SIDE) == two(p, SIDE) for p in (read_pixels(item.path) for item in items)]
    return float(np.concatenate([each.ravel() for each in equal]).mean())


def write_card(
    title: str, lines: Sequence[str], ious: dict[str, float], origins: Sequence[str]
) -> str:
    """The text of a card.

    Args:
        title: names the variant.
        lines: figures in words, one for each folder that was checked.
        ious: of each class, in the folder whose masks know all classes.
        origins: where the photographs come from.
    """
    rows = "\n".join(f"| {name} | {iou:.3f} |" for name, iou in ious.items())
    mean = sum(ious.values()) / len(ious)
    return (
        f"# {title}\n\n"
        f"Protocol: the app's own `segment()`, framing `whole`, side {SIDE}, at the original size "
        "of the photographs; one confusion matrix over all pixels, background included, void "
        "excluded. The same by `python -m demo evaluate`.\n\n"
        + "".join(f"- {line}\n" for line in lines)
        + f"\n| class | IoU |\n|---|---|\n{rows}\n| mean | {mean:.3f} |\n\n"
        "## Origins\n\n"
        + "".join(f"- {origin}\n" for origin in origins)
        + "\n![The mask and what the checkpoint says, for each class](contact-sheet.jpg)\n\n"
        "For each class the photograph whose IoU is in the middle: its mask on the left, what the "
        "checkpoint says on the right.\n"
    )


def _figures(plan: Plan, folder: Path) -> tuple[list[str], list[Example]]:
    """A line for each checked folder, and what is said of the one whose masks know all classes.

    Raises:
        ValueError: if the plan checks none.
    """
    lines, complete = [], list[Example]()
    segmenter = open_checkpoint(folder)
    for title, items in plan.checks.items():
        examples = look(segmenter, items, SIDE)
        lines.append(f"{title} ({len(items)}): {describe(count_all(examples), items)}")
        if not items[0].partial:
            complete = examples
    if not complete:
        raise ValueError("The plan has no [[check]] folder whose masks know all classes.")
    return lines, complete


def main(arguments: list[str]) -> None:
    """Read the command line, print the figures, write card and sheet."""
    parser = argparse.ArgumentParser(prog="python -m training.card", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="of the plan's folders")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--float32", type=Path, help="the same checkpoint in float32, to compare")
    parser.add_argument("--with-photographs", action="store_true", help="on the contact sheet")
    options = parser.parse_args(arguments)
    plan, folder = read_plan(options.plan, options.folder), options.checkpoint
    lines, examples = _figures(plan, folder)
    wrong = leave_out_classes(folder, count_all(examples), plan.classes)
    if wrong:
        lines, examples = _figures(plan, folder)
        lines.append(f"Left out, because it is never right: {', '.join(wrong)}")
    if options.float32:
        items = next(iter(plan.checks.values()))[::3]
        same = agreement(folder, options.float32, items)
        lines.append(f"Pixels with the same class in fp16 and fp32: {same:.3%}")
    print("\n".join(lines), flush=True)
    tables = tomllib.loads(options.plan.read_text(encoding="utf-8"))["train"]
    origins = [f"`{table['folder']}`: {table.get('origin', 'unknown')}" for table in tables]
    ious = class_ious(count_all(examples), plan.classes)
    note_figure(folder, sum(ious.values()) / len(ious))
    card = write_card(read_variant(folder).label, lines, ious, origins)
    (folder / "README.md").write_text(card, encoding="utf-8")
    sheet = draw_sheet(examples, with_photographs=options.with_photographs)
    (folder / "contact-sheet.jpg").write_bytes(encode_jpeg(sheet, 88))


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main(sys.argv[1:])
