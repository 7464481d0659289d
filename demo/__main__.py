"""Command line: ``python -m demo segment``, ``evaluate`` and ``serve-models``."""

import argparse
import contextlib
import errno
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from demo.arguments import build_parser
from demo.background import (
    DEFAULT_KEPT,
    Background,
    find_kept,
    parse_background,
    replace_background,
)
from demo.batch import TABLE, encode_records, find_images
from demo.classes import VOC, ClassSet
from demo.errors import DemoError, InvalidOption
from demo.evaluation import Evaluation, Tally, evaluate, start_evaluation
from demo.exports import areas_record, encode_class_map, encode_picture, encode_png
from demo.framing import DEFAULT_FRAMING, plan_framing
from demo.image import Image, read_image, read_image_with_notes
from demo.inference import segment
from demo.models.loading import load_checkpoint
from demo.models.model import Model
from demo.models.registry import default_registry
from demo.overlay import draw_overlay
from demo.segmentation import Segmentation
from demo.variants import get_variant, offered_variants
from demo.voc import VocSplit, find_split
from demo.web.logs import leave_weights_to_one_sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        options = build_parser(segment_photos, evaluate_folder, serve_models).parse_args(arguments)
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


def _load(options: argparse.Namespace) -> Model:
    """Load the variant, or the one that the page begins with where none was chosen.

    It prints a line for each step, and says which weights the model has.
    """
    sentences: list[str] = []

    def on_progress(fraction: float, sentence: str) -> None:
        if sentence not in sentences:
            sentences.append(sentence)
            print(f"{sentence} …", file=sys.stderr)

    registry = default_registry()
    if options.variant is None:
        model = registry.first_available(on_progress)
    else:
        model = registry.get(options.variant, on_progress)
    print(f"{model.variant.label}. {model.weights.describe()}", file=sys.stderr)
    return model


class _Unwritable(DemoError):
    """The place that an option names cannot be written; the next result would fail as well."""


_REASONS = {
    errno.EEXIST: "a file stands where a folder is needed",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.ENOENT: "there is no such folder",
}
"""Plainer words than the system's own for why nothing can be written."""

_FAULTS_OF_A_NAME = (errno.ENAMETOOLONG, errno.EISDIR, errno.EILSEQ, errno.EINVAL)
"""Errors that one file's name causes; a file of another name may succeed."""


@contextlib.contextmanager
def _blamed_on(option: str, target: Path) -> Iterator[None]:
    """Say of a failure to write that it is the fault of what an option names."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or error)
        raise _Unwritable(
            f"{option} {target} cannot be written: {reason}. Choose another folder."
        ) from None


def segment_photos(options: argparse.Namespace) -> int:
    """Segment every photo; a photo that fails gets one line and does not stop the others."""
    plan_framing((1, 1), options.framing, options.side)  # tell once what is wrong for all photos
    photos = _find_photos(options)
    own = load_checkpoint(options.checkpoint) if options.checkpoint else None
    effect = _read_effect(options, own.classes if own else VOC)
    _check_folder(options.out)
    model = own or _load(options)
    records: list[dict[str, Any]] = []
    failures = 0
    written: set[str] = set()
    with tqdm(photos, unit="photo", disable=len(photos) < 2) as bar:
        for photo in bar:
            try:
                record = _segment_photo(photo, options, model, effect, written)
                records.append({"photo": str(photo), **record})
            except _Unwritable as error:
                failures += 1
                tqdm.write(str(error), file=sys.stderr)
                break
            except DemoError as error:
                failures += 1
                tqdm.write(f"{photo}: {error}", file=sys.stderr)
        else:
            _write_table(options.out, records)
    if options.json:
        print(json.dumps(records, indent=2))
    return 1 if failures else 0


def _write_table(folder: Path, records: list[dict[str, Any]]) -> None:
    """Write the areas in all photos as one table, where there are several."""
    if len(records) > 1:
        with _blamed_on("--out", folder):
            (folder / TABLE).write_bytes(encode_records(records))


def _find_photos(options: argparse.Namespace) -> list[Path]:
    """List the photos, those of folders in the order of their names.

    Raises:
        InvalidOption: if a folder holds no image.
    """
    photos: list[Path] = []
    for path in options.photos:
        if not path.is_dir():
            photos.append(path)
            continue
        found = find_images(path, recursive=options.recursive)
        if not found:
            raise InvalidOption(f"{path} holds no image. Name another folder, or add --recursive.")
        photos += found
    return photos


Effect = Callable[[Image, Segmentation], bytes]
"""Makes a PNG of an image with another background."""


def _read_effect(options: argparse.Namespace, classes: ClassSet) -> Effect | None:
    """Read what is to be written with another background; None if nothing is."""
    if not options.background:
        return None
    kept = find_kept(options.keep or DEFAULT_KEPT, classes)
    if Path(options.background).is_file():
        background = Background("picture", picture=read_image(Path(options.background)))
    else:
        background = parse_background(options.background)

    def draw(image: Image, segmentation: Segmentation) -> bytes:
        refine = not options.plain_edges
        return encode_picture(
            replace_background(image, segmentation, kept, background, refine=refine)
        )

    return draw


def _segment_photo(
    photo: Path,
    options: argparse.Namespace,
    model: Model,
    effect: Effect | None,
    written: set[str],
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
    files = {
        "overlay.png": encode_png(overlay),
        "classes.png": encode_class_map(segmentation),
        "areas.json": (json.dumps(record, indent=2) + "\n").encode(),
    }
    if effect:
        files["background.png"] = effect(image, segmentation)
    for ending, content in files.items():
        _write_result(options.out, f"{photo.stem}.{ending}", content)
    written.add(photo.stem)
    return record


def _write_result(folder: Path, name: str, content: bytes) -> None:
    """Write one file of a result.

    Raises:
        InvalidOption: if the name is at fault, which comes from the photo.
        _Unwritable: if the folder or its disk is.
    """
    with _blamed_on("--out", folder):
        try:
            (folder / name).write_bytes(content)
        except OSError as error:
            if error.errno not in _FAULTS_OF_A_NAME:
                raise
            raise InvalidOption(f"{name} cannot be written: {error.strerror}.") from None


def _check_folder(folder: Path) -> None:
    """Make the folder for the results, or refuse it before the work begins."""
    with _blamed_on("--out", folder):
        _try_folder(folder)


def _try_folder(folder: Path) -> None:
    """Make a folder, and a file in it that is removed at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def serve_models(options: argparse.Namespace) -> int:
    """Run the networks for apps on other machines until the process is stopped."""
    from demo.models.cluster import run_head, run_node  # noqa: PLC0415 - only this needs them
    from demo.models.replicas import Scale  # noqa: PLC0415

    def say(sentence: str) -> None:
        print(sentence, flush=True)

    if options.join:
        return run_node(options.join, options.use_cpus, say)
    variants = [get_variant(key) for key in options.variant or offered_variants()]
    scale = Scale(options.least, max(options.least, options.most), options.cpus)
    return run_head(
        variants,
        scale,
        host=options.host,
        port=options.port,
        head_port=options.head_port,
        cpus=options.use_cpus,
        say=say,
    )


SAVE_EVERY_S = 5.0
"""How often an evaluation is saved while it runs."""


def evaluate_folder(options: argparse.Namespace) -> int:
    """Evaluate one variant under one or more framings and print the figures side by side."""
    own = load_checkpoint(options.checkpoint) if options.checkpoint else None
    classes = own.classes if own else VOC
    split = find_split(options.voc, options.split, options.limit, options.mask_class, classes)
    framings = list(dict.fromkeys(options.framing or [DEFAULT_FRAMING]))
    plan_framing((1, 1), framings[0], options.side)
    if options.json:
        _check_target(options.json)
    model = own or _load(options)
    evaluation = start_evaluation(
        split, model.variant.key, framings, options.side, model.weights.revision
    )
    partial = options.json and options.json.with_name(options.json.name + ".partial")
    if partial and evaluation.resume(partial):
        print(f"Going on after {evaluation.done} of {len(split.ids)}.", file=sys.stderr)
    _run(evaluation, split, model, partial)
    if not any(tally.images for tally in evaluation.tallies):
        print(f"None of the {len(split.ids)} photographs could be evaluated.", file=sys.stderr)
        if partial:
            partial.unlink(missing_ok=True)
        return 1
    _print_figures(evaluation, model)
    if options.json:
        _write_figures(options.json, evaluation, model)
        partial.unlink(missing_ok=True)
    return 1 if evaluation.failures else 0


def _run(evaluation: Evaluation, split: VocSplit, model: Model, partial: Path | None) -> None:
    """Evaluate what is not behind yet, name each failure, and save the counts now and then."""
    saved_at = time.monotonic()
    with tqdm(total=len(split.ids), initial=evaluation.done, unit="image") as bar:
        for photo_id in evaluate(split, evaluation, model):
            bar.update()
            if photo_id in evaluation.failures:
                tqdm.write(f"{photo_id}: {evaluation.failures[photo_id]}", file=sys.stderr)
            if partial and time.monotonic() - saved_at > SAVE_EVERY_S:
                with _blamed_on("--json", partial):
                    evaluation.save(partial)
                saved_at = time.monotonic()


def _write_figures(file: Path, evaluation: Evaluation, model: Model) -> None:
    rows = [_figures(tally, evaluation, model) for tally in evaluation.tallies]
    with _blamed_on("--json", file):
        file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _check_target(file: Path) -> None:
    """Refuse a file that cannot be written before the work begins."""
    with _blamed_on("--json", file):
        if file.is_dir() or not file.name:
            raise InvalidOption(f"--json {file} is a folder. Give the name of a file.")
        _try_folder(file.parent)
        if file.exists() and not os.access(file, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


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
    for name in model.classes.names:
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
    leave_weights_to_one_sentence()
    sys.exit(main())
