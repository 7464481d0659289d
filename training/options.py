"""The command line of `python -m training.train`."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from demo.variants import VARIANTS
from training.optimisers import OPTIMISERS
from training.scenes import Sources


@dataclass(frozen=True)
class Options:
    """The command line; see `read_options`."""

    variant: str
    people: Path
    empty: Path
    out: Path
    state: Path
    start_from: list[Path]
    labels: Path | None
    photographs: float
    minutes: float | None
    steps: int | None
    batch: int
    peak: float
    seed: int
    optimiser: str
    freeze_at: float
    check_minutes: float

    @property
    def recipe(self) -> str:
        """All that decides what comes out, but for how long; a run goes on with the same only."""
        decisive = "variant start_from labels photographs batch peak freeze_at seed optimiser"
        return ", ".join(f"{name}={getattr(self, name)}" for name in decisive.split())


def read_options(arguments: list[str], description: str | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=description)
    parser.add_argument("--variant", choices=list(VARIANTS), required=True)
    parser.add_argument("--people", type=Path, required=True, help="photographs, VOC layout")
    parser.add_argument("--empty", type=Path, required=True, help="pictures without people")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint's folder")
    parser.add_argument("--state", type=Path, required=True, help="folder to go on from")
    parser.add_argument(
        "--start-from",
        type=Path,
        nargs="+",
        default=[],
        help="a finished checkpoint, or the mean of several, of this variant or a smaller one",
    )
    parser.add_argument(
        "--labels", type=Path, help="pseudo-labels of another run's state; none are made"
    )
    parser.add_argument(
        "--photographs",
        type=float,
        default=Sources.photographs,
        help="share of scenes that are photographs, not pasted and not empty",
    )
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="of training, in all")
    length.add_argument("--steps", type=int, help="the same in steps; 0 for none")
    parser.add_argument("--batch", type=int, default=1, help="multiplies the scenes of a step")
    parser.add_argument("--peak", type=float, default=8e-4, help="highest learning rate")
    parser.add_argument(
        "--freeze-at",
        type=float,
        default=0.7,
        help="progress from which batch-norm uses its running statistics, as it will in the app; "
        "0 is for a low --peak",
    )
    parser.add_argument("--optimiser", choices=OPTIMISERS, default=OPTIMISERS[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check-minutes", type=float, default=12.0, help="between figures")
    options = Options(**vars(parser.parse_args(arguments)))
    if not 0 <= options.photographs <= 1:
        parser.error("--photographs is a share between 0 and 1.")
    return options
