"""Train one variant, from the photographs to a finished checkpoint folder.

python -m training.train --variant xxs --people DIR --empty DIR --out DIR --state DIR --minutes 100
"""

import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from demo.variants import get_variant
from training.calibration import best_shift, count_at_shifts
from training.loading import Batch, BatchKey, load_batches
from training.measures import (
    count_overlap,
    false_person_share,
    person_iou,
    segmenter_of,
)
from training.model import build_model, mean_weights, read_variant, save_checkpoint
from training.options import Options, read_options
from training.photographs import (
    Photograph,
    list_unlabelled,
    load_empty,
    load_people,
)
from training.pseudo import label_photographs, load_labelled, note_round, rounds_done
from training.scenes import Sources, draw_batch, to_values
from training.schedule import (
    BATCH,
    FROM_SCRATCH,
    FURTHER,
    draw_side,
    learning_rate,
    pseudo_round,
)
from training.trainer import Trainer
from training.widening import widen
from training.workers import Worker, run_workers

_SAVE_EVERY_S, _TELL_EVERY_S = 180.0, 60.0
_LONGEST_STEP_S = 60.0
"""A step that took longer was interrupted; the rest of it is not training."""
_CHECK_SIDES = (256, 512)


class Every:
    """Something to do every so many seconds, first after one such interval."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._next: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether the interval has passed since it was last due; seconds of one clock."""
        due = self._next is not None and now >= self._next
        if due or self._next is None:
            self._next = now + self._interval_s
        return due


class Run:
    """One worker's part of a training run."""

    def __init__(self, worker: Worker, options: Options) -> None:
        self.worker, self.options = worker, options
        people = load_people(options.people, held_out=False)
        empty = load_empty(options.empty, held_out=False)
        self.sources = Sources(people, [], empty, options.photographs)
        self.unlabelled = list_unlabelled(options.people)
        self.held_out = load_people(options.people, held_out=True)[::3]
        self.held_out_empty = load_empty(options.empty, held_out=True)[::3]
        variant = get_variant(options.variant)
        self.trainer = Trainer(variant, options.seed, worker, options.optimiser)
        self.state_path = options.state / "state.pt"
        self.labels = options.labels or options.state / "labels"
        self.labelled_round = rounds_done(self.labels)
        if options.labels and not self.labelled_round:
            raise ValueError(f"{options.labels} holds no labels. Give the labels of a run's state.")
        self.batches: Iterator[Batch] | None = None
        self.plan = FURTHER if options.start_from else FROM_SCRATCH
        if self.state_path.exists():
            self._go_on()
        elif options.start_from:
            self.trainer.start_from(self._first_weights(options.start_from))
        if self.labelled_round:
            self._use_guessed_labels()

    def _first_weights(self, folders: list[Path]) -> dict[str, torch.Tensor]:
        """The mean weights of some checkpoints, widened if they are of a smaller variant."""
        variant, weights = read_variant(folders[0]), mean_weights(folders)
        if variant.key == self.options.variant:
            return weights
        if variant.parameters > get_variant(self.options.variant).parameters:
            raise ValueError(
                f"{folders[0]} is of {variant.label}, which is larger than what is made."
            )
        narrow = build_model(variant, self.options.seed)
        narrow.load_state_dict(weights)
        wide = build_model(get_variant(self.options.variant), self.options.seed)
        pixels, _ = draw_batch(self.sources, 256, 8, (self.options.seed, 0, 3))
        widen(narrow, wide, to_values(pixels))
        return dict(wide.state_dict())

    def _go_on(self) -> None:
        begun_with = self.trainer.load(self.state_path)
        if begun_with != self.options.recipe:
            raise ValueError(
                f"{self.state_path} was begun with {begun_with}. Give the same options, or "
                "another folder."
            )
        self.say(f"going on at step {self.trainer.step}, {self.progress:.1%}")

    @property
    def progress(self) -> float:
        """Share of the run that is done, in [0, 1]."""
        return self._progress_at(self.trainer.step)

    def _progress_at(self, step: int) -> float:
        """Progress when this step is reached; what it is now where time decides."""
        minutes = self.options.minutes
        done, all_of_it = (
            (step, self.options.steps) if minutes is None else (self.trainer.seconds, 60 * minutes)
        )
        return min(done / all_of_it, 1.0) if all_of_it else 1.0

    def say(self, text: str) -> None:
        """Print a line with the time and append it to the log beside the state."""
        if self.worker.leads:
            line = f"{time.strftime('%H:%M:%S')} {text}"
            print(line, flush=True)
            self.options.state.mkdir(parents=True, exist_ok=True)
            with (self.options.state / "log.txt").open("a") as log:
                log.write(line + "\n")

    def train(self) -> None:
        """Train to the end, then write the checkpoint."""
        self.say(
            f"{len(self.sources.people)} photographs with masks, {len(self.unlabelled)} "
            f"without, {len(self.sources.empty)} pictures without people"
        )
        saving, checking = Every(_SAVE_EVERY_S), Every(60 * self.options.check_minutes)
        telling, losses = Every(_TELL_EVERY_S), list[float]()
        while self.progress < 1:
            losses.append(self._timed_step())
            now = self._agreed_time()
            if telling.is_due(now):
                self._tell(losses)
            if checking.is_due(now):
                self.check()
            if saving.is_due(now):
                self._save()
        self._finish()

    def _tell(self, losses: list[float]) -> None:
        """Say how far it is, with the mean loss since the last time."""
        mean = sum(losses) / len(losses)
        self.say(f"step {self.trainer.step} {self.progress:.1%} loss {mean:.4f}")
        losses.clear()

    def _finish(self) -> None:
        self._save()
        self._calibrate()
        self.check()
        if self.worker.leads:
            average, float32 = self.trainer.average, self.options.state / "float32"
            save_checkpoint(average, self.options.out)
            save_checkpoint(average, float32, torch.float32)
        seconds, steps = self.trainer.seconds, self.trainer.step
        self.say(f"finished after {steps} steps and {seconds / 60:.1f} minutes")

    def _calibrate(self) -> None:
        """Set the bias of person on a quarter of the photographs and an eighth of the others."""
        pictures = [*self.sources.people[::4], *self.sources.empty[::8]]
        mine = pictures[self.worker.rank :: self.worker.count]
        counts = count_at_shifts(self.trainer.predict, mine, _CHECK_SIDES[-1])
        shift = best_shift(self.worker.add_up(counts))
        self.trainer.lower_person(shift)
        self.say(f"logit of person lowered by {shift:.2f}")

    def _agreed_time(self) -> float:
        """The leading worker's clock, so that all decide alike."""
        own = time.monotonic() if self.worker.leads else 0.0
        return float(self.worker.add_up(torch.tensor([own], dtype=torch.float64)))

    def _timed_step(self) -> float:
        self._do_what_is_due()
        start = self._agreed_time()
        loss = self._step()
        self.trainer.seconds += min(self._agreed_time() - start, _LONGEST_STEP_S)
        return loss

    def _do_what_is_due(self) -> None:
        """What this progress asks for before the next step, and is not training."""
        rounds = pseudo_round(self.plan, self.progress)
        if rounds > self.labelled_round and not self.options.labels:
            self._guess_labels(rounds)
        if self.progress >= self.options.freeze_at:
            self.trainer.freeze_statistics()
        if self.batches is None:
            self.batches = load_batches(self.sources, self._keys(), self.worker.loaders)

    def _step(self) -> float:
        assert self.batches is not None
        pixels, target = next(self.batches)
        values = to_values(pixels.to(self.worker.device))
        return self.trainer.update(values, target, learning_rate(self.progress, self.options.peak))

    def _keys(self) -> Iterator[BatchKey]:
        """What this worker's batches are made of, from the next step on."""
        seed = self.options.seed
        for step in itertools.count(self.trainer.step):
            # a batch may be drawn long before its step
            side = draw_side(self.plan, self._progress_at(step), seed, step)
            size = max(BATCH[side] * self.options.batch // self.worker.count, 1)
            yield BatchKey(side, size, (seed, step, 2, self.worker.rank))

    def _guess_labels(self, rounds: int) -> None:
        """Label the photographs without masks, each worker its share, and join them in."""
        self._save()  # a run that is stopped from here on labels them anew, and alike
        self.worker.wait()
        self.labelled_round = rounds
        mine = self.unlabelled[self.worker.rank :: self.worker.count]
        label_photographs([self.trainer.predict], mine, self.labels, self.plan.label_sides)
        self.worker.wait()
        if self.worker.leads:
            note_round(self.labels, self.labelled_round)
        self._use_guessed_labels()
        self.say(f"labelled {len(self.sources.guessed)} photographs")

    def _use_guessed_labels(self) -> None:
        guessed = load_labelled(self.unlabelled, self.labels)
        self.sources = replace(self.sources, guessed=guessed)
        self.batches = None

    def _save(self) -> None:
        if self.worker.leads:
            self.trainer.save(self.state_path, self.options.recipe)

    def check(self) -> None:
        """Print figures of the moving average on a third of the held-out pictures."""
        for side in _CHECK_SIDES:
            people = self._count(self.held_out, side)
            nobody = self._count(self.held_out_empty, side)
            self.say(
                f"held out, side {side}: person IoU {person_iou(people):.4f}, "
                f"false person {false_person_share(nobody):.2%}"
            )

    def _count(self, pictures: list[Photograph], side: int) -> torch.Tensor:
        mine = pictures[self.worker.rank :: self.worker.count]
        return self.worker.add_up(count_overlap(segmenter_of(self.trainer.predict), mine, side))


def run(worker: Worker, options: Options) -> None:
    """One worker's whole life."""
    Run(worker, options).train()


if __name__ == "__main__":
    run_workers(run, read_options(sys.argv[1:], __doc__))
