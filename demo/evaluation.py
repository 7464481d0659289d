"""mIoU on a folder in PASCAL VOC's layout."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.classes import CLASS_NAMES, NOT_SEEN
from demo.errors import DemoError
from demo.inference import segment
from demo.models.model import Model
from demo.voc import VOID, VocSplit


@dataclass(eq=False)
class Tally:
    """The counts under one framing so far.

    Attributes:
        framing: ``whole``, ``aspect`` or ``crop``.
        names: of the C classes, in the order of their ids.
        confusion: (C, C) int64; rows are ground truth, columns predictions.
        not_seen: number of judged pixels outside the network's view, which no row counts.
        images: number of images counted.
        seconds: time spent in `segment`.
    """

    framing: str
    names: Sequence[str] = CLASS_NAMES
    confusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    not_seen: int = 0
    images: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not self.confusion.size:
            self.confusion = np.zeros((len(self.names), len(self.names)), np.int64)

    def add(self, truth: NDArray[np.uint8], predicted: NDArray[np.uint8], seconds: float) -> None:
        """Count one image, except the pixels whose ground truth is void."""
        judged = truth != VOID
        seen = judged & (predicted != NOT_SEEN)
        count = len(self.confusion)
        pairs = truth[seen].astype(np.int64) * count + predicted[seen]
        self.confusion += np.bincount(pairs, minlength=count**2).reshape(count, count)
        self.not_seen += int(np.count_nonzero(judged)) - int(np.count_nonzero(seen))
        self.images += 1
        self.seconds += seconds

    @property
    def iou(self) -> dict[str, float]:
        """Intersection over union of each class that the ground truth has, in [0, 1]."""
        hits = self.confusion.diagonal()
        unions = self.confusion.sum(axis=0) + self.confusion.sum(axis=1) - hits
        present = np.flatnonzero(self.confusion.sum(axis=1))
        return {self.names[i]: float(hits[i] / unions[i]) for i in present.tolist()}

    @property
    def miou(self) -> float:
        """Mean of `iou`, background included; 0 if nothing was judged."""
        return float(np.mean(list(self.iou.values()))) if self.iou else 0.0

    @property
    def pixel_accuracy(self) -> float:
        """Fraction of the judged and seen pixels that are right, in [0, 1]."""
        return float(self.confusion.diagonal().sum() / max(1, self.confusion.sum()))

    @property
    def seen(self) -> float:
        """Fraction of the judged pixels that the network saw, in [0, 1]."""
        counted = int(self.confusion.sum())
        return counted / max(1, counted + self.not_seen)

    @property
    def images_per_s(self) -> float:
        """Images per second of `segment`."""
        return self.images / self.seconds if self.seconds else 0.0


@dataclass(eq=False)
class Evaluation:
    """An evaluation that runs or has ended; it can be saved and resumed.

    Attributes:
        key: what is being evaluated; a saved evaluation with another key is not resumed.
        tallies: the counts, one tally for each framing.
        done: number of the split's photographs that are behind.
        failures: photograph -> why it could not be evaluated.
    """

    key: dict[str, Any]
    tallies: list[Tally]
    done: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write all of it to a file, whole or not at all."""
        tallies = [{**vars(tally), "confusion": tally.confusion.tolist()} for tally in self.tallies]
        beside = path.with_name(path.name + ".new")
        beside.write_text(json.dumps({**vars(self), "tallies": tallies}), encoding="utf-8")
        beside.replace(path)

    def resume(self, path: Path) -> bool:
        """Continue the evaluation in a file; False if there is none, or it is another one."""
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        if not isinstance(saved, dict) or saved.get("key") != self.key:
            return False
        try:
            tallies = [
                Tally(**{**tally, "confusion": np.array(tally["confusion"], np.int64)})
                for tally in saved["tallies"]
            ]
            self.done, self.failures = saved["done"], saved["failures"]
        except (KeyError, TypeError, ValueError):
            return False
        self.tallies = tallies
        return True


def start_evaluation(
    split: VocSplit, variant: str, framings: Sequence[str], side: int, revision: str
) -> Evaluation:
    """Begin an evaluation in which nothing is counted yet."""
    key = {
        "folder": str(split.folder.resolve()),
        "ids": list(split.ids),
        "variant": variant,
        "framings": list(framings),
        "side": side,
        "revision": revision,
        "mask_class": split.mask_class,
    }
    return Evaluation(key, [Tally(framing, split.classes.names) for framing in framings])


def evaluate(split: VocSplit, evaluation: Evaluation, model: Model) -> Iterator[str]:
    """Go on with an evaluation, one photograph at a time.

    Args:
        split: the photographs.
        evaluation: what has been counted so far; written to.
        model: the variant that the evaluation was started for.

    Yields:
        The id of each photograph once it is counted or found unusable.
    """
    for pair in split.pairs[evaluation.done :]:
        try:
            image, truth = split.read(pair)
        except DemoError as error:
            evaluation.failures[pair.id] = str(error)
        else:
            for tally in evaluation.tallies:
                started = time.perf_counter()
                result = segment(image, model, framing=tally.framing, side=evaluation.key["side"])
                tally.add(truth, result.class_map, time.perf_counter() - started)
        evaluation.done += 1
        yield pair.id
