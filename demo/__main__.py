"""Command line: ``python -m demo segment PHOTO...`` and ``python -m demo evaluate --voc DIR``."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from demo.classes import CLASS_NAMES
from demo.errors import DemoError, InvalidOption
from demo.evaluation import Evaluation, Tally, evaluate, start_evaluation
from demo.exports import areas_record, encode_class_map, encode_png
from demo.framing import DEFAULT_FRAMING, DEFAULT_SIDE, FRAMINGS, plan_framing
from demo.image import read_image_with_notes
from demo.inference import segment
from demo.models.model import Model
from demo.models.registry import DEFAULT_VARIANT, default_registry
from demo.overlay import DEFAULT_OPACITY, draw_overlay
from demo.variants import VARIANTS
from demo.voc import find_split


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _build_parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'A file'}: {error.strerror or error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--variant", type=str.lower, default=DEFAULT_VARIANT, choices=list(VARIANTS)
    )
    shared.add_argument(
        "--side", type=int, default=DEFAULT_SIDE, help="side of the network's input"
    )
    _add_segment(commands, shared)
    _add_evaluate(commands, shared)
    return parser


def _add_segment(commands: Any, shared: argparse.ArgumentParser) -> None:
    command = commands.add_parser(
        "segment", parents=[shared], help="segment photographs and write the results"
    )
    command.set_defaults(command=segment_photos)
    command.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    command.add_argument("--framing", default=DEFAULT_FRAMING, choices=list(FRAMINGS))
    command.add_argument("--opacity", type=_fraction, default=DEFAULT_OPACITY, help="0 to 1")
    command.add_argument("--out", type=Path, default=Path(), help="folder for the results")
    command.add_argument("--json", action="store_true", help="print the areas as JSON as well")


def _add_evaluate(commands: Any, shared: argparse.ArgumentParser) -> None:
    command = commands.add_parser(
        "evaluate", parents=[shared], help="measure mIoU on a folder in PASCAL VOC's layout"
    )
    command.set_defaults(command=evaluate_folder)
    command.add_argument("--voc", type=Path, required=True, metavar="DIR")
    command.add_argument("--split", default="val", help="name of a split, or a file of ids")
    command.add_argument(
        "--framing",
        action="append",
        choices=list(FRAMINGS),
        help="may be given several times; whole if it is not given",
    )
    command.add_argument(
        "--limit", type=_positive, metavar="N", help="evaluate only the first so many"
    )
    command.add_argument(
        "--mask-class", metavar="NAME", help="class of the white pixels, if the truth is masks"
    )
    command.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures; an interrupted run goes on"
    )


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


def _fraction(text: str) -> float:
    try:
        fraction = float(text)
    except ValueError:
        fraction = -1.0
    if not 0 <= fraction <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return fraction


def _load(options: argparse.Namespace) -> Model:
    """Load the variant, print a line for each step, and say which weights it has."""
    sentences: list[str] = []

    def on_progress(fraction: float, sentence: str) -> None:
        if sentence not in sentences:
            sentences.append(sentence)
            print(f"{sentence} …", file=sys.stderr)

    model = default_registry().get(options.variant, on_progress)
    print(f"{model.variant.label}. {model.weights.describe()}", file=sys.stderr)
    return model


def segment_photos(options: argparse.Namespace) -> int:
    """Segment every photo; a photo that fails gets one line and does not stop the others."""
    plan_framing((1, 1), options.framing, options.side)  # tell once what is wrong for all photos
    _check_folder(options.out)
    model = _load(options)
    records: list[dict[str, Any]] = []
    failures = 0
    bar = tqdm(options.photos, unit="photo", disable=len(options.photos) < 2)
    written: set[str] = set()
    for photo in bar:
        try:
            record = _segment_photo(photo, options, model, written)
            records.append({"photo": str(photo), **record})
        except (DemoError, OSError) as error:
            failures += 1
            tqdm.write(f"{photo}: {error}", file=sys.stderr)
    if options.json:
        print(json.dumps(records, indent=2))
    return 1 if failures else 0


def _segment_photo(
    photo: Path, options: argparse.Namespace, model: Model, written: set[str]
) -> dict[str, Any]:
    if photo.stem in written:
        raise InvalidOption(
            f"Another photo of this call is called {photo.stem}, too, and its result would be "
            "lost. Rename one, or give them different --out folders."
        )
    image, notes = read_image_with_notes(photo)
    segmentation = segment(image, model, framing=options.framing, side=options.side, notes=notes)
    for note in notes:
        tqdm.write(f"{photo}: {note}", file=sys.stderr)
    overlay = draw_overlay(image, segmentation, opacity=options.opacity)
    record = areas_record(segmentation)
    target = options.out / photo.stem
    Path(f"{target}.overlay.png").write_bytes(encode_png(overlay))
    Path(f"{target}.classes.png").write_bytes(encode_class_map(segmentation))
    Path(f"{target}.areas.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    written.add(photo.stem)
    return record


def _check_folder(folder: Path) -> None:
    """Make the folder for the results, or refuse it before the work begins."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidOption(
            f"--out {folder} cannot be made: {error.strerror}. Choose another folder."
        ) from None
    if not os.access(folder, os.W_OK):
        raise InvalidOption(f"--out {folder} cannot be written. Choose another folder.")


SAVE_EVERY_S = 5.0
"""How often an evaluation is saved while it runs."""


def evaluate_folder(options: argparse.Namespace) -> int:
    """Evaluate one variant under one or more framings and print the figures side by side."""
    split = find_split(options.voc, options.split, options.limit, options.mask_class)
    framings = list(dict.fromkeys(options.framing or [DEFAULT_FRAMING]))
    plan_framing((1, 1), framings[0], options.side)
    if options.json:
        _check_target(options.json)
    model = _load(options)
    evaluation = start_evaluation(
        split, options.variant, framings, options.side, model.weights.revision
    )
    partial = options.json and options.json.with_name(options.json.name + ".partial")
    if partial and evaluation.resume(partial):
        print(f"Going on after {evaluation.done} of {len(split.ids)}.", file=sys.stderr)
    saved_at = time.monotonic()
    bar = tqdm(total=len(split.ids), initial=evaluation.done, unit="image")
    for photo_id in evaluate(split, evaluation, model):
        bar.update()
        if photo_id in evaluation.failures:
            tqdm.write(f"{photo_id}: {evaluation.failures[photo_id]}", file=sys.stderr)
        if partial and time.monotonic() - saved_at > SAVE_EVERY_S:
            evaluation.save(partial)
            saved_at = time.monotonic()
    bar.close()
    if not any(tally.images for tally in evaluation.tallies):
        print(f"None of the {len(split.ids)} photographs could be evaluated.", file=sys.stderr)
        if partial:
            partial.unlink(missing_ok=True)
        return 1
    _print_figures(evaluation, model)
    if options.json:
        rows = [_figures(tally, evaluation, model) for tally in evaluation.tallies]
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
        partial.unlink(missing_ok=True)
    return 1 if evaluation.failures else 0


def _check_target(file: Path) -> None:
    """Refuse a file that cannot be written before the work begins."""
    try:
        is_folder = file.is_dir() or not file.name
        file.parent.mkdir(parents=True, exist_ok=True)
        targets = [file.parent, file] if file.exists() else [file.parent]
    except OSError as error:
        raise InvalidOption(f"--json {file} cannot be written: {error.strerror}.") from None
    if is_folder:
        raise InvalidOption(f"--json {file} is a folder. Give the name of a file.")
    if not all(os.access(target, os.W_OK) for target in targets):
        raise InvalidOption(f"--json {file} cannot be written. Choose another folder.")


def _figures(tally: Tally, evaluation: Evaluation, model: Model) -> dict[str, Any]:
    return {
        "framing": tally.framing,
        "variant": model.variant.key,
        "weights_source": model.weights.kind,
        "revision": model.weights.revision,
        "side": evaluation.key["side"],
        "miou": tally.miou,
        "pixel_accuracy": tally.pixel_accuracy,
        "seen": tally.seen,
        "images": tally.images,
        "images_per_s": tally.images_per_s,
        "failed": sorted(evaluation.failures),
        "iou": tally.iou,
    }


def _print_figures(evaluation: Evaluation, model: Model) -> None:
    tallies = evaluation.tallies
    print(f"{model.variant.label}. {model.weights.describe()}")
    _print_row("", [tally.framing for tally in tallies])
    for name in CLASS_NAMES:
        if any(name in tally.iou for tally in tallies):
            _print_row(name, [_percent(tally.iou.get(name)) for tally in tallies])
    _print_row("mIoU", [_percent(tally.miou) for tally in tallies])
    _print_row("pixel accuracy", [_percent(tally.pixel_accuracy) for tally in tallies])
    _print_row("pixels seen", [_percent(tally.seen) for tally in tallies])
    _print_row("images", [str(tally.images) for tally in tallies])
    _print_row("images per second", [f"{tally.images_per_s:.2f}" for tally in tallies])
    if evaluation.failures:
        print(f"{len(evaluation.failures)} not evaluated: {', '.join(evaluation.failures)}")


def _print_row(name: str, cells: Sequence[str]) -> None:
    print(f"{name:<18}" + "".join(f"{cell:>10}" for cell in cells))


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{fraction * 100:.2f} %"


if __name__ == "__main__":
    sys.exit(main())
