"""Train one variant, from folders of photographs to a checkpoint.

python -m training.train --plan training/voc21.toml --folder DIR --variant xxs --run DIR --steps 900

Given again, the command goes on where it was stopped. The folder of the run holds its state, which
is replaced whole every two and a half minutes, its log, and the checkpoint of the moving average.
"""

import itertools
import sys
import time
from collections.abc import Iterator

import numpy as np
import torch
from transformers import MobileViTForSemanticSegmentation

from demo.classes import CLASS_NAMES
from demo.variants import get_variant
from training.knowledge import find_classes, sum_chances
from training.loading import BatchKey, load_batches
from training.maps import Basis, load_basis, make_maps
from training.measures import count_pixels, describe
from training.model import build_model, load_checkpoint, save_checkpoint
from training.options import Options, read_options
from training.scenes import Batch, Sources, draw_batch, to_values
from training.schedule import BATCH, FREEZE_AT, draw_side, learning_rate
from training.segmenters import segmenter_of
from training.sources import Item, Plan, read_plan
from training.trainer import Trainer
from training.widening import widen
from training.workers import Worker, run_workers

_SAVE_EVERY_S, _TELL_EVERY_S = 150.0, 60.0
_CHECK_SIDE = 512
_CHECK_EVERY = 3
"""One in so many photographs is looked at while training goes on."""


class Run:
    """One worker's part of a training run."""

    def __init__(self, worker: Worker, options: Options) -> None:
        self.worker, self.options = worker, options
        self.plan = read_plan(options.plan, options.folder)
        basis: Basis = load_basis(options.maps) if options.maps else []
        chances = sum_chances(self.plan, np.load(options.run / "classes.npy"))
        self.sources = Sources(self.plan.train, chances, options.maps)
        self.state_path = options.run / "state.pt"
        self._last: dict[str, float] = {}
        self.trainer = Trainer(self._first_model(), basis, worker, options.seed)
        if self.state_path.exists():
            self._go_on()

    def _first_model(self) -> MobileViTForSemanticSegmentation:
        """A new network, a checkpoint's, or that of a smaller variant made wider."""
        variant = get_variant(self.options.variant)
        model = build_model(variant, self.options.seed, self.plan.classes)
        if self.options.begin is None:
            return model
        begun = load_checkpoint(self.options.begin, self.options.seed, self.plan.classes)
        if list(begun.config.neck_hidden_sizes) == list(variant.neck_hidden_sizes):
            return begun
        scenes = draw_batch(self.sources, 256, 8, (self.options.seed, 0, 3))
        widen(begun, model, to_values(scenes.pixels))
        return model

    def _go_on(self) -> None:
        begun_with = self.trainer.load(self.state_path)
        if begun_with != self.options.recipe:
            raise ValueError(
                f"{self.state_path} was begun with {begun_with}. Give these, or another folder."
            )
        self.say(f"going on at step {self.trainer.step}, {self.progress:.1%}")

    @property
    def progress(self) -> float:
        """Share of the run that is done, in [0, 1]."""
        return self._progress_at(self.trainer.step)

    def _progress_at(self, step: int) -> float:
        """Progress when this step is reached; what it is now where time decides."""
        if self.options.minutes is None:
            return min(step / max(self.options.steps or 0, 1), 1.0)
        return min(self.trainer.seconds / (60 * self.options.minutes), 1.0)

    def say(self, text: str) -> None:
        """Print a line with the time and append it to the log of the run."""
        if self.worker.leads:
            line = f"{time.strftime('%d %H:%M:%S')} {text}"
            print(line, flush=True)
            with (self.options.run / "log.txt").open("a") as log:
                log.write(line + "\n")

    def train(self) -> None:
        """Train to the end, then write the checkpoint."""
        self.say(f"{len(self.plan.train)} photographs, {self.worker.count} workers")
        batches = self.batches()
        losses: list[torch.Tensor] = []
        while self.progress < 1:
            losses.append(self.take_step(batches))
            now = self._agreed_time()
            if self._is_due("tell", _TELL_EVERY_S, now):
                self._tell(losses)
            if self._is_due("check", 60 * self.options.check_minutes, self.trainer.seconds):
                self.check(_CHECK_EVERY)
            if self._is_due("save", _SAVE_EVERY_S, now):
                self.save()
        self.save()
        self.check(1)
        minutes = self.trainer.seconds / 60
        self.say(f"finished after {self.trainer.step} steps and {minutes:.1f} minutes")

    def _is_due(self, what: str, interval_s: float, now: float) -> bool:
        """True once so many seconds have passed since this was last due, or first asked for."""
        due = now - self._last.setdefault(what, now) >= interval_s
        if due:
            self._last[what] = now
        return due

    def batches(self) -> Iterator[Batch]:
        """Batches of this worker from the next step on."""
        return load_batches(self.sources, self._keys(), self.worker.loaders)

    def _keys(self) -> Iterator[BatchKey]:
        seed = self.options.seed
        for step in itertools.count(self.trainer.step):
            # a batch may be drawn long before its step
            side = draw_side(self._progress_at(step), seed, step)
            size = max(BATCH[side] * self.options.batch // self.worker.count, 1)
            yield BatchKey(side, size, (seed, step, 2, self.worker.rank))

    def take_step(self, batches: Iterator[Batch]) -> torch.Tensor:
        """Learn from the next batch; returns the losses of `Trainer.update`."""
        self.trainer.freeze_statistics(self.progress >= FREEZE_AT)
        start = self._spent()
        rate = learning_rate(self.progress, self.options.peak)
        losses = self.trainer.update(next(batches), rate, self.progress)
        self.trainer.seconds += self._spent() - start
        return losses

    def _spent(self) -> float:
        """Seconds of a clock that stands still while other work has the processor."""
        if self.worker.device.type == "cuda":
            return time.monotonic()
        return self._add_up(time.process_time() / self.worker.count)

    def _agreed_time(self) -> float:
        """The leading worker's clock, so that all decide alike."""
        return self._add_up(time.monotonic() if self.worker.leads else 0.0)

    def _add_up(self, number: float) -> float:
        return float(self.worker.add_up(torch.tensor([number], dtype=torch.float64)))

    def _tell(self, losses: list[torch.Tensor]) -> None:
        """Say how far it is, with the mean losses since the last time."""
        classes, features = torch.stack(losses).mean(dim=0).tolist()
        done = f"step {self.trainer.step} {self.progress:.2%}"
        self.say(f"{done} loss {classes:.4f} features {features:.4f}")
        losses.clear()

    def save(self) -> None:
        """Write all that is needed to go on."""
        if self.worker.leads:
            self.trainer.save(self.state_path, self.options.recipe)

    def check(self, every: int) -> None:
        """Write the checkpoint and say its figures on one in so many photographs."""
        if self.worker.leads:
            average = self.trainer.average
            save_checkpoint(average, self.options.run / "checkpoint")
            save_checkpoint(average, self.options.run / "float32", dtype=torch.float32)
        for title, items in self.plan.checks.items():
            self.say(self._check_folder(title, items[::every]))

    def _check_folder(self, title: str, items: tuple[Item, ...]) -> str:
        mine = items[self.worker.rank :: self.worker.count]
        classes = len(self.plan.classes)
        counts = count_pixels(segmenter_of(self.trainer.predict), mine, _CHECK_SIDE, classes)
        return f"{title} ({len(items)}): {describe(self.worker.add_up(counts), items)}"


def run(worker: Worker, options: Options) -> None:
    """One worker's whole life."""
    Run(worker, options).train()


def prepare(options: Options) -> None:
    """Make what all workers read: the teacher's maps, and the classes of every photograph."""
    plan: Plan = read_plan(options.plan, options.folder)
    if options.maps and plan.classes != CLASS_NAMES:
        raise ValueError("The teacher knows VOC's classes only. Leave --teacher and --maps away.")
    if options.maps and options.teacher:
        make_maps(options.teacher, plan.train, options.maps)
    path = options.run / "classes.npy"
    if not path.exists():
        options.run.mkdir(parents=True, exist_ok=True)
        np.save(path, np.stack([find_classes(item, options.maps) for item in plan.train]))


if __name__ == "__main__":
    chosen = read_options(sys.argv[1:], __doc__)
    prepare(chosen)
    run_workers(run, chosen)
