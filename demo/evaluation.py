"""mIoU on a folder in PASCAL VOC's layout."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from demo.classes import CLASS_NAMES, NOT_SEEN
from demo.errors import DemoError, InvalidImage, InvalidOption
from demo.image import read_image
from demo.inference import segment
from demo.models.model import Model

CLASSES_COUNT = len(CLASS_NAMES)
VOID = 255
"""Value of pixels that are not judged: VOC's borders and difficult objects."""


@dataclass(frozen=True)
class VocSplit:
    """Photographs with ground truth.

    Attributes:
        folder: holds JPEGImages/ID.jpg and SegmentationClass/ID.png.
        ids: names of the photographs to evaluate, in order.
    """

    folder: Path
    ids: tuple[str, ...]

    def read(self, photo_id: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Read a photograph (H×W×3 uint8 RGB) and its ground truth (H×W uint8 ids, 255 void).

        Raises:
            InvalidImage: if either cannot be read, or they differ in size.
        """
        image = read_image(self.folder / "JPEGImages" / f"{photo_id}.jpg")
        truth = _read_truth(self.folder / "SegmentationClass" / f"{photo_id}.png")
        if truth.shape != image.shape[:2]:
            raise InvalidImage(
                f"The ground truth is {truth.shape} and the photograph {image.shape[:2]} (height, "
                "width). They must be equal."
            )
        return image, truth


def find_split(folder: Path, split: str, limit: int | None = None) -> VocSplit:
    """Find the photographs of a split; without split files, all that have ground truth.

    Args:
        folder: has the layout of PASCAL VOC.
        split: a name, read from ImageSets/Segmentation/NAME.txt, or the path of such a file.
        limit: how many photographs to evaluate at most, the first ones.

    Raises:
        InvalidOption: if there is nothing to evaluate.
    """
    named = folder / "ImageSets" / "Segmentation" / f"{split}.txt"
    listing = next((path for path in (named, Path(split)) if path.is_file()), None)
    others = sorted(path.stem for path in named.parent.glob("*.txt"))
    if listing is not None:
        ids = _read_list(listing)
    elif Path(split).name != split or split.endswith(".txt"):
        raise InvalidOption(
            f"There is no list {split}. Give the path of a file, or a split's name."
        )
    elif others:
        raise InvalidOption(f"There is no split {split!r}. Choose one of {', '.join(others)}.")
    else:
        ids = sorted(path.stem for path in (folder / "SegmentationClass").glob("*.png"))
    if not ids:
        raise InvalidOption(
            f"Nothing to evaluate in {folder}. Expected JPEGImages/ID.jpg and "
            "SegmentationClass/ID.png, as PASCAL VOC has them."
        )
    return VocSplit(folder, tuple(ids[:limit]))


def _read_list(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        raise InvalidOption(f"{path} is no list. Expected a text file with an id a line.") from None


def _read_truth(path: Path) -> NDArray[np.uint8]:
    try:
        with PIL.Image.open(path, formats=["PNG"]) as opened:
            truth = np.asarray(opened)
    except Exception as error:  # Pillow raises anything on a damaged file
        raise InvalidImage(f"The ground truth {path.name} cannot be read.") from error
    if truth.ndim != 2 or truth.dtype != np.uint8:
        raise InvalidImage(f"The ground truth {path.name} is not a single channel of class ids.")
    strange = np.setdiff1d(truth, [*range(CLASSES_COUNT), VOID])
    if strange.size:
        raise InvalidImage(
            f"The ground truth {path.name} has the values {strange.tolist()}. Expected class ids "
            f"0 to {CLASSES_COUNT - 1} and {VOID} for void."
        )
    return truth


@dataclass(eq=False)
class Tally:
    """The counts under one framing so far.

    Attributes:
        framing: ``whole``, ``aspect`` or ``crop``.
        confusion: (21, 21) int64; rows are ground truth, columns predictions.
        not_seen: number of judged pixels outside the network's view, which no row counts.
        images: number of images counted.
        seconds: time spent in `segment`.
    """

    framing: str
    confusion: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((CLASSES_COUNT, CLASSES_COUNT), np.int64)
    )
    not_seen: int = 0
    images: int = 0
    seconds: float = 0.0

    def add(self, truth: NDArray[np.uint8], predicted: NDArray[np.uint8], seconds: float) -> None:
        """Count one image, except the pixels whose ground truth is void."""
        judged = truth != VOID
        seen = judged & (predicted != NOT_SEEN)
        pairs = truth[seen].astype(np.int64) * CLASSES_COUNT + predicted[seen]
        counts = np.bincount(pairs, minlength=CLASSES_COUNT**2)
        self.confusion += counts.reshape(CLASSES_COUNT, CLASSES_COUNT)
        self.not_seen += int(np.count_nonzero(judged)) - int(np.count_nonzero(seen))
        self.images += 1
        self.seconds += seconds

    @property
    def iou(self) -> dict[str, float]:
        """Intersection over union of each class that the ground truth has, in [0, 1]."""
        hits = self.confusion.diagonal()
        unions = self.confusion.sum(axis=0) + self.confusion.sum(axis=1) - hits
        present = np.flatnonzero(self.confusion.sum(axis=1))
        return {CLASS_NAMES[i]: float(hits[i] / unions[i]) for i in present.tolist()}

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
    }
    return Evaluation(key, [Tally(framing) for framing in framings])


def evaluate(split: VocSplit, evaluation: Evaluation, model: Model) -> Iterator[str]:
    """Go on with an evaluation, one photograph at a time.

    Args:
        split: the photographs.
        evaluation: what has been counted so far; written to.
        model: the variant that the evaluation was started for.

    Yields:
        The id of each photograph once it is counted or found unusable.
    """
    for photo_id in split.ids[evaluation.done :]:
        try:
            image, truth = split.read(photo_id)
        except DemoError as error:
            evaluation.failures[photo_id] = str(error)
        else:
            for tally in evaluation.tallies:
                started = time.perf_counter()
                result = segment(image, model, framing=tally.framing, side=evaluation.key["side"])
                tally.add(truth, result.class_map, time.perf_counter() - started)
        evaluation.done += 1
        yield photo_id
