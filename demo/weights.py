"""Where the weights of a variant are found: a local folder, the Hub's cache, the Hub, bundled."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo import hub
from demo.checkpoint import WEIGHT_FILES, find_weights, read_files
from demo.classes import CLASS_NAMES
from demo.errors import WeightsUnavailable
from demo.segmentation import WeightsSource
from demo.settings import local_checkpoints
from demo.variants import VARIANTS, Variant

BUNDLED_FOLDER = Path(__file__).parent.parent / "assets" / "checkpoints"

OnProgress = Callable[[float, str], None]
"""Called with a fraction in [0, 1] and a sentence, from the thread that loads."""


@dataclass(frozen=True)
class Checkpoint:
    """A folder that holds a checkpoint in transformers' layout, and where it came from."""

    folder: Path
    source: WeightsSource


def find_local(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
    """The variant's folder in the configured folder, if there is one.

    Raises:
        WeightsUnavailable: if what is configured is no folder, or the variant's has no weights.
    """
    configured = local_checkpoints()
    if configured is None:
        return None
    if not any((configured / key).is_dir() for key in VARIANTS):
        raise WeightsUnavailable("SEGMENTATION_CHECKPOINTS names no folder with xxs, xs or s in it")
    folder = configured / variant.key
    checkpoint = _read_folder(folder, "local")
    if checkpoint is None and folder.is_dir():
        names = " or ".join(WEIGHT_FILES)
        raise WeightsUnavailable(f"SEGMENTATION_CHECKPOINTS has no {names} in {variant.key}")
    return checkpoint


def find_cached(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
    """The Hub's files in its local cache; asks nothing of the network."""
    folder = hub.find_cached(variant.checkpoint)
    return _hub_checkpoint(folder, variant) if folder else None


def find_on_hub(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
    """The Hub's files, downloaded into its local cache in place of what is there.

    Raises:
        WeightsUnavailable: with the reason why the Hub did not give them.
    """

    def report(fraction: float) -> None:
        on_progress(fraction, f"Downloading {variant.checkpoint}")

    on_progress(0.0, f"Asking the Hugging Face Hub for {variant.checkpoint}")
    return _hub_checkpoint(hub.download(variant.checkpoint, report), variant)


def is_bundled(variant: Variant) -> bool:
    """Whether the variant has a checkpoint in assets/checkpoints."""
    return find_weights(BUNDLED_FOLDER / variant.key) is not None


def find_bundled(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
    """The checkpoint in assets/checkpoints, if the variant has one."""
    return _read_folder(BUNDLED_FOLDER / variant.key, "bundled")


Find = Callable[[Variant, OnProgress], Checkpoint | None]
"""Gives a checkpoint, None where it has none, or raises `WeightsUnavailable` with the reason."""

SOURCES: tuple[Find, ...] = (find_local, find_cached, find_on_hub)
"""Of a variant's own weights, best first; bundled ones stand in for them."""


def _hub_checkpoint(snapshot: Path, variant: Variant) -> Checkpoint:
    # the Hub's cache names the folder of a snapshot after its commit
    return Checkpoint(snapshot, WeightsSource("hub", variant.checkpoint, snapshot.name))


def _read_folder(folder: Path, kind: str) -> Checkpoint | None:
    if find_weights(folder) is None:
        return None
    return Checkpoint(folder, read_source(folder, kind))


def read_source(folder: Path, kind: str) -> WeightsSource:
    """What a checkpoint's folder says of itself.

    Raises:
        WeightsUnavailable: if its config or weights are missing or unreadable.
    """
    config, weights = read_files(folder)
    return WeightsSource(
        kind=kind,
        name=f"{folder.parent.name}/{folder.name}",
        revision=f"sha256:{hashlib.sha256(weights).hexdigest()[:16]}",
        class_names=_trained_classes(config, folder),
    )


def _trained_classes(config: bytes, folder: Path) -> tuple[str, ...]:
    """The classes that a config says its weights were trained on; all 21 if it says nothing."""
    try:
        names = json.loads(config).get("trained_classes") or CLASS_NAMES
        if isinstance(names, str):
            raise TypeError(names)
        return tuple(str(name) for name in names)
    except (ValueError, AttributeError, TypeError):
        raise WeightsUnavailable(
            f"the config of {folder.parent.name}/{folder.name} is damaged"
        ) from None
