"""Command line: ``python -m demo segment PHOTO... --variant s --out DIR [--json]``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from demo.errors import DemoError, InvalidOption
from demo.exports import areas_record, encode_class_map, encode_png
from demo.framing import DEFAULT_FRAMING, DEFAULT_SIDE, FRAMINGS
from demo.image import read_image
from demo.inference import segment
from demo.overlay import DEFAULT_OPACITY, draw_overlay
from demo.registry import DEFAULT_VARIANT
from demo.variants import VARIANTS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _build_parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("segment", help="segment photographs and write the results")
    command.set_defaults(command=segment_photos)
    command.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    command.add_argument("--variant", default=DEFAULT_VARIANT, choices=sorted(VARIANTS))
    command.add_argument("--framing", default=DEFAULT_FRAMING, choices=sorted(FRAMINGS))
    command.add_argument(
        "--side", type=int, default=DEFAULT_SIDE, help="side of the network's input"
    )
    command.add_argument("--opacity", type=float, default=DEFAULT_OPACITY, help="0 to 1")
    command.add_argument("--out", type=Path, default=Path(), help="folder for the results")
    command.add_argument("--json", action="store_true", help="print the areas as JSON as well")
    return parser


def segment_photos(options: argparse.Namespace) -> int:
    """Segment every photo; a failure is told in one line and the others are still done."""
    records: list[dict[str, Any]] = []
    failures = 0
    bar = tqdm(options.photos, unit="photo", disable=len(options.photos) < 2)
    written: set[str] = set()
    for photo in bar:
        try:
            records.append({"photo": str(photo), **_segment_photo(photo, options, written)})
        except (DemoError, OSError) as error:
            failures += 1
            tqdm.write(f"{photo}: {error}", file=sys.stderr)
    if options.json:
        print(json.dumps(records, indent=2))
    return 1 if failures else 0


def _segment_photo(photo: Path, options: argparse.Namespace, written: set[str]) -> dict[str, Any]:
    if photo.stem in written:
        raise InvalidOption(
            f"Another photo of this call is called {photo.stem}, too, and its result would be "
            "lost. Rename one, or give them different --out folders."
        )
    image = read_image(photo)
    segmentation = segment(image, options.variant, framing=options.framing, side=options.side)
    overlay = draw_overlay(image, segmentation, opacity=options.opacity)
    record = areas_record(segmentation)
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.out / photo.stem
    Path(f"{target}.overlay.png").write_bytes(encode_png(overlay))
    Path(f"{target}.classes.png").write_bytes(encode_class_map(segmentation))
    Path(f"{target}.areas.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    written.add(photo.stem)
    return record


if __name__ == "__main__":
    sys.exit(main())
