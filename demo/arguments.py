"""The arguments of the command line, and the help that explains them."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo.background import DEFAULT_KEPT
from demo.framing import DEFAULT_FRAMING, DEFAULT_SIDE, FRAMINGS, MAX_SIDE, MIN_SIDE, STRIDE
from demo.overlay import DEFAULT_OPACITY
from demo.variants import VARIANTS, offered_variants

Command = Callable[[argparse.Namespace], int]
"""Runs one command and gives the exit status."""


def build_parser(
    segment: Command, evaluate: Command, serve_models: Command
) -> argparse.ArgumentParser:
    """Build the parser; the command that was chosen lies in ``command`` of what it parses."""
    parser = _describe(argparse.ArgumentParser(prog="python -m demo"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = _shared_arguments()
    _add_segment(commands, shared).set_defaults(command=segment)
    _add_evaluate(commands, shared).set_defaults(command=evaluate)
    _add_serve_models(commands).set_defaults(command=serve_models)
    return parser


def _describe(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """End the help with one line for each variant and each framing."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    variants = {
        key: f"{variant.parameters:>9,} parameters, {variant.checkpoint}"
        for key, variant in VARIANTS.items()
    }
    parser.epilog = "\n\n".join([_table("variants", variants), _table("framings", FRAMINGS)])
    return parser


def _table(title: str, rows: dict[str, str]) -> str:
    return "\n".join([f"{title}:", *(f"  {key:<8}{text}" for key, text in rows.items())])


def _shared_arguments() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--variant",
        type=str.lower,
        choices=list(VARIANTS),
        help="see below (default: the one that the page begins with)",
    )
    shared.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIR",
        help="folder of a checkpoint, which may have classes of its own, instead of a variant",
    )
    shared.add_argument(
        "--side",
        type=int,
        default=DEFAULT_SIDE,
        metavar="PIXELS",
        help=f"side of the network's input, a multiple of {STRIDE} from {MIN_SIDE} to {MAX_SIDE} "
        "(default: %(default)s)",
    )
    return shared


def _add_segment(commands: Any, shared: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        "segment", parents=[shared], help="segment photographs and write the results"
    )
    command.add_argument(
        "photos", nargs="+", type=Path, metavar="PHOTO", help="file of an image, or a folder"
    )
    command.add_argument(
        "--recursive", action="store_true", help="also take the images of folders inside a folder"
    )
    command.add_argument(
        "--framing",
        default=DEFAULT_FRAMING,
        choices=list(FRAMINGS),
        help="see below (default: %(default)s)",
    )
    command.add_argument(
        "--opacity",
        type=_fraction,
        default=DEFAULT_OPACITY,
        metavar="FRACTION",
        help="opacity of the colours in the overlay, from 0 to 1 (default: %(default)s)",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder for the results (default: the current one)",
    )
    command.add_argument("--json", action="store_true", help="print the areas as JSON as well")
    command.add_argument(
        "--background",
        metavar="WHAT",
        help="also write the image with another background: blurred, transparent, a colour such as "
        "#00b140, or the file of a picture",
    )
    command.add_argument(
        "--keep",
        action="append",
        metavar="CLASS",
        help="class that stays before the background; may be given several times (default: "
        f"{', '.join(DEFAULT_KEPT)})",
    )
    command.add_argument(
        "--plain-edges",
        action="store_true",
        help="do not let the edges before the background follow those of the image",
    )
    return _describe(command)


def _add_evaluate(commands: Any, shared: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        "evaluate", parents=[shared], help="measure mIoU on a folder in PASCAL VOC's layout"
    )
    command.add_argument(
        "--voc", type=Path, required=True, metavar="DIR", help="folder in PASCAL VOC's layout"
    )
    command.add_argument(
        "--split", default="val", help="name of a split, or a file of ids (default: %(default)s)"
    )
    command.add_argument(
        "--framing",
        action="append",
        choices=list(FRAMINGS),
        help=f"see below; may be given several times (default: {DEFAULT_FRAMING})",
    )
    command.add_argument(
        "--limit",
        type=_positive,
        metavar="N",
        help="evaluate only the first N photographs, from 1 (default: all)",
    )
    command.add_argument(
        "--mask-class", metavar="NAME", help="class of the white pixels, if the truth is masks"
    )
    command.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures; an interrupted run goes on"
    )
    return _describe(command)


def _add_serve_models(commands: Any) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        "serve-models", help="run the networks for apps on other machines, with Ray"
    )
    command.add_argument(
        "--variant",
        action="append",
        choices=list(offered_variants()),
        help="may be given several times (default: all)",
    )
    command.add_argument(
        "--least",
        type=_positive,
        default=1,
        metavar="N",
        help="replicas of each that always run (default: %(default)s)",
    )
    command.add_argument(
        "--most",
        type=_positive,
        default=4,
        metavar="N",
        help="replicas of each under load (default: %(default)s)",
    )
    command.add_argument(
        "--cpus",
        type=_positive,
        default=1,
        metavar="N",
        help="CPUs, and threads, of a replica (default: %(default)s)",
    )
    command.add_argument(
        "--use-cpus", type=_positive, metavar="N", help="CPUs of this machine (default: all)"
    )
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to answer at; 0.0.0.0 for other machines (default: %(default)s)",
    )
    command.add_argument("--port", type=_positive, default=7870, help="(default: %(default)s)")
    command.add_argument(
        "--head-port",
        type=_positive,
        default=6379,
        metavar="PORT",
        help="where other machines join (default: %(default)s)",
    )
    command.add_argument(
        "--join", metavar="HOST:PORT", help="add this machine to the cluster of another one"
    )
    return command


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
