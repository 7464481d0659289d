"""Where the weights of a variant are found: a local folder, the Hub's cache, the Hub, bundled."""

from collections.abc import Callable, Mapping
from pathlib import Path

from demo.models import hub
from demo.models.checkpoint import (
    CONFIG_FILE,
    WEIGHT_FILES,
    Accuracy,
    Checkpoint,
    NoWeights,
    OnProgress,
    find_weights,
    read_accuracy,
    read_checkpoint,
)
from demo.settings import local_checkpoints
from demo.variants import VARIANTS, Variant

BUNDLED_FOLDER = Path(__file__).parent.parent.parent / "assets" / "checkpoints"

Find = Callable[[Variant], Checkpoint | None]
"""Gives a checkpoint, or None where the source has none; raises `NoWeights` with the reason."""

Sources = Mapping[str, Find]
"""The name of each source, for the log, and how it is asked; the best source comes first."""


def own_sources(on_progress: OnProgress) -> Sources:
    """List the sources of a variant's own weights; the bundled ones stand in for them."""
    return {
        "the configured folder": find_local,
        "the cache of the Hub": find_cached,
        "the Hub": lambda variant: download(variant, on_progress),
    }


def find_local(variant: Variant) -> Checkpoint | None:
    """Find the variant's folder in the configured folder, if there is one.

    Raises:
        NoWeights: if the configured folder has no variants, or the variant's has no weights.
    """
    if variant.name:
        return _find_own_folder(variant)
    configured = local_checkpoints()
    if configured is None:
        return None
    if not any((configured / key).is_dir() for key in VARIANTS):
        raise NoWeights("SEGMENTATION_CHECKPOINTS names no folder with xxs, xs or s in it")
    folder = configured / variant.key
    if find_weights(folder) is not None:
        return read_checkpoint(folder, "local")
    if folder.is_dir():
        names = " or ".join(WEIGHT_FILES)
        raise NoWeights(f"SEGMENTATION_CHECKPOINTS has no {names} in {variant.key}")
    return None


def _find_own_folder(variant: Variant) -> Checkpoint | None:
    folder = Path(variant.checkpoint).expanduser()
    return read_checkpoint(folder, "local", name=variant.name) if folder.is_dir() else None


def find_cached(variant: Variant) -> Checkpoint | None:
    """Find the Hub's files in its local cache; asks nothing of the network."""
    snapshot = hub.find_cached(variant.checkpoint)
    return _read_snapshot(snapshot, variant) if snapshot else None


def download(variant: Variant, on_progress: OnProgress) -> Checkpoint:
    """Download the Hub's files into its local cache, replacing what is there.

    Raises:
        NoWeights: with the reason why the Hub did not give them.
    """

    def report(fraction: float) -> None:
        on_progress(fraction, f"Downloading {variant.checkpoint}")

    on_progress(0.0, f"Asking the Hugging Face Hub for {variant.checkpoint}")
    snapshot, note = hub.download(variant.checkpoint, report)
    return _read_snapshot(snapshot, variant, note)


def find_bundled(variant: Variant) -> Checkpoint | None:
    """Find the checkpoint in assets/checkpoints, if the variant has one."""
    folder = BUNDLED_FOLDER / variant.key
    return read_checkpoint(folder, "bundled") if find_weights(folder) is not None else None


def rank_bundled() -> list[str]:
    """List the variants by the measured figure of their bundled checkpoint, best first."""

    def accuracy(key: str) -> Accuracy:
        config = BUNDLED_FOLDER / key / CONFIG_FILE
        found = read_accuracy(config.read_bytes()) if config.is_file() else None
        return found or Accuracy(is_mean=False, percent=0.0)

    return sorted(VARIANTS, key=accuracy, reverse=True)


BUNDLED_SOURCES: Sources = {"the bundled checkpoint": find_bundled}


def _read_snapshot(snapshot: Path, variant: Variant, note: str = "") -> Checkpoint:
    # The Hub's cache names the folder of a snapshot after its commit.
    return read_checkpoint(
        snapshot,
        "hub",
        name=variant.checkpoint,
        revision=snapshot.name,
        accuracy=None if variant.name else Accuracy(is_mean=True, percent=variant.published_miou),
        note=note,
    )
