"""The command line of `python -m training.train`."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from demo.variants import VARIANTS


@dataclass(frozen=True)
class Options:
    """The command line; see `read_options`."""

    plan: Path
    folder: Path
    variant: str
    run: Path
    teacher: Path | None
    maps: Path | None
    begin: Path | None
    minutes: float | None
    steps: int | None
    batch: int
    peak: float
    seed: int
    check_minutes: float

    @property
    def recipe(self) -> str:
        """All that decides what comes out, but for how long; a run goes on with the same only."""
        decisive = "variant plan begin batch peak seed"
        return ", ".join(f"{name}={getattr(self, name)}" for name in decisive.split())


def read_options(arguments: list[str], description: str | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=description)
    parser.add_argument("--plan", type=Path, required=True, help="TOML; see training/sources.py")
    parser.add_argument("--folder", type=Path, required=True, help="of the plan's folders")
    parser.add_argument("--variant", choices=list(VARIANTS), required=True)
    parser.add_argument("--run", type=Path, required=True, help="state, log and checkpoint")
    parser.add_argument("--teacher", type=Path, help="TFLite file to make missing maps with")
    parser.add_argument("--maps", type=Path, help="folder of the teacher's maps; else none is used")
    parser.add_argument("--begin", type=Path, help="checkpoint of this variant or a smaller one")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="on each core, or on the GPU, in all")
    length.add_argument("--steps", type=int, help="the same in steps, to repeat it exactly")
    parser.add_argument("--batch", type=int, default=1, help="multiplies the scenes of a step")
    parser.add_argument("--peak", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--check-minutes", type=float, default=15.0, help="of these between figures"
    )
    return Options(**vars(parser.parse_args(arguments)))
