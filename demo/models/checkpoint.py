"""A checkpoint: a folder in transformers' layout, and where its weights came from."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.classes import CLASS_NAMES, VOC, ClassSet, build_class_set

CONFIG_FILE = "config.json"
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
"""In the order of preference; the Hub's main holds only the second for Apple's checkpoints."""

OnProgress = Callable[[float, str], None]
"""Called with a fraction in [0, 1] and a sentence, from the thread that loads."""


class NoWeights(Exception):
    """One source gave no usable weights.

    The message is a clause, such as "the disk is full". The registry joins the clauses of all
    sources into one sentence.
    """


@dataclass(frozen=True, order=True)
class Accuracy:
    """How well weights did in a measurement; a mean over all classes ranks first.

    Attributes:
        is_mean: whether this is the mean IoU over all classes, and not person IoU.
        percent: from 0 to 100.
    """

    is_mean: bool
    percent: float

    def __str__(self) -> str:
        """Write name and figure, such as ``mIoU 73.6 %``."""
        return f"{'mIoU' if self.is_mean else 'person IoU'} {self.percent:.1f} %"


@dataclass(frozen=True)
class WeightsSource:
    """Where the weights of a model came from, and what they know.

    Attributes:
        kind: ``local`` (a configured folder), ``hub`` (downloaded or in its cache) or
            ``bundled`` (in this repository).
        name: repository on the Hub, or the folder's name.
        revision: commit on the Hub, or ``sha256:…`` of the file of weights.
        class_names: the classes that the weights were trained on.
        reason: why a source of higher rank was not used; empty if none was passed over.
        note: a sentence about how they were had, such as a refused token; empty if there is none.
        all_names: all classes that the checkpoint has.
        accuracy: their own measured or published figure; None if there is none.
    """

    kind: str
    name: str
    revision: str
    class_names: tuple[str, ...] = CLASS_NAMES
    reason: str = ""
    note: str = ""
    accuracy: Accuracy | None = None
    all_names: tuple[str, ...] = CLASS_NAMES

    @property
    def badge(self) -> str:
        """Name the weights in two words."""
        return {"hub": "Apple's weights", "local": "Own weights", "bundled": "Offline model"}[
            self.kind
        ]

    def describe(self) -> str:
        """Say which weights these are, why not better ones, and what they know."""
        kind = {
            "hub": "from the Hugging Face Hub",
            "local": "from the configured folder",
            "bundled": "bundled with this app",
        }[self.kind]
        reason = f" because {self.reason}" if self.reason else ""
        origin = f"Weights: {self.name} ({self.revision}), {kind}{reason}."
        return " ".join(filter(None, [origin, self._describe_known(), self.note]))

    def _describe_known(self) -> str:
        """Say which classes the weights know, or do not know if that is shorter."""
        unknown = [name for name in self.all_names if name not in self.class_names]
        if not unknown:
            return ""
        if len(unknown) < len(self.class_names):
            return f"They do not know {' and '.join(unknown)}."
        return f"They know {' and '.join(self.class_names)} only."


@dataclass(frozen=True)
class Checkpoint:
    """A folder that holds a config and weights.

    Attributes:
        folder: where the files are.
        source: where they came from.
        sha256: hexadecimal digest over the config and the weights.
        classes: what it tells apart.
    """

    folder: Path
    source: WeightsSource
    sha256: str
    classes: ClassSet = VOC


def find_weights(folder: Path) -> Path | None:
    """Find the preferred file of weights in a folder, or None."""
    return next((folder / name for name in WEIGHT_FILES if (folder / name).is_file()), None)


def read_checkpoint(
    folder: Path,
    kind: str,
    *,
    name: str | None = None,
    revision: str | None = None,
    accuracy: Accuracy | None = None,
    note: str = "",
) -> Checkpoint:
    """Read and hash a checkpoint's files, once.

    Args:
        folder: holds the config and the weights.
        kind: see `WeightsSource`.
        name: the repository on the Hub; the folder's name if there is none.
        revision: the commit on the Hub; the hash of the weights if there is none.
        accuracy: the published figure; that of the config if there is none.
        note: see `WeightsSource`.

    Raises:
        NoWeights: if a file is missing or unreadable, or the config is damaged.
    """
    name = name or f"{folder.parent.name}/{folder.name}"
    config, weights = _read_files(folder, name)
    classes = _read_classes(config, name)
    hashes = [hashlib.sha256(content).hexdigest() for content in (config, weights)]
    source = WeightsSource(
        kind=kind,
        name=name,
        revision=revision or f"sha256:{hashes[1][:16]}",
        class_names=_trained_classes(config, classes, name),
        accuracy=accuracy or read_accuracy(config),
        note=note,
        all_names=classes.names,
    )
    digest = hashlib.sha256("".join(hashes).encode()).hexdigest()
    return Checkpoint(folder, source, digest, classes)


def _read_files(folder: Path, name: str) -> tuple[bytes, bytes]:
    weights = find_weights(folder)
    try:
        if weights is not None:
            return (folder / CONFIG_FILE).read_bytes(), weights.read_bytes()
    except OSError:
        pass  # the sentence below says what is missing
    raise NoWeights(f"{name} lacks its config or its weights")


def _read_classes(config: bytes, name: str) -> ClassSet:
    """Read what the checkpoint tells apart; VOC's classes if the config names none.

    ``id2label`` names them, and ``palette`` may give a colour for each, as [red, green, blue].
    """
    try:
        read = json.loads(config)
        labels = read.get("id2label") or dict(enumerate(CLASS_NAMES))
        names = [str(labels[key]) for key in sorted(labels, key=int)]
        if sorted(map(int, labels)) != list(range(len(labels))):
            raise ValueError("its ids do not count from 0")
        colours = [_read_colour(colour) for colour in read.get("palette", [])]
        return build_class_set(names, colours or None)
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise NoWeights(f"the config of {name} is damaged: {error}") from None


def _read_colour(colour: Sequence[int]) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in colour)
    if not all(0 <= value <= 255 for value in (red, green, blue)):
        raise ValueError(f"{colour} is no colour")
    return red, green, blue


def _trained_classes(config: bytes, classes: ClassSet, name: str) -> tuple[str, ...]:
    """Read the classes that the weights were trained on; all if the config names none."""
    try:
        names = json.loads(config).get("trained_classes") or classes.names
        if isinstance(names, str):
            raise TypeError(names)
        return tuple(str(name) for name in names)
    except (ValueError, AttributeError, TypeError):
        raise NoWeights(f"the config of {name} is damaged") from None


def read_accuracy(config: bytes) -> Accuracy | None:
    """Read the measured figure from a config; None if it has none."""
    try:
        measured = json.loads(config)["measured"]
        is_mean = "miou" in measured
        return Accuracy(is_mean, float(measured["miou" if is_mean else "person_iou"]))
    except (ValueError, KeyError, TypeError):
        return None
