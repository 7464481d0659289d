"""Loading one model: from which source of weights, into which engine."""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from demo.errors import Busy, InvalidOption, WeightsUnavailable
from demo.framing import DEFAULT_SIDE
from demo.models.checkpoint import (
    Checkpoint,
    NoWeights,
    OnProgress,
    WeightsSource,
    read_checkpoint,
)
from demo.models.engines.choice import load_engines
from demo.models.model import Model
from demo.models.sources import BUNDLED_SOURCES, Sources, own_sources
from demo.variants import Variant, own_variant

logger = logging.getLogger(__name__)

Used = TypeVar("Used")

Load = Callable[[Variant, OnProgress], Model]
"""How a variant is loaded; raises `NoWeights` with the reason where there are no weights."""


def load_own(variant: Variant, on_progress: OnProgress) -> Model:
    """Load a variant's own weights from the best source that has usable ones.

    Raises:
        NoWeights: if no source has any, with the reason of each.
    """
    model, weights = use_first(own_sources(on_progress), variant, _loader(variant, on_progress))
    return dataclasses.replace(model, weights=weights)


def load_bundled(variant: Variant, on_progress: OnProgress) -> Model:
    """Load the checkpoint in assets/checkpoints.

    Raises:
        NoWeights: if the variant has none, or it is damaged.
    """
    model, weights = use_first(BUNDLED_SOURCES, variant, _loader(variant, on_progress))
    return dataclasses.replace(model, weights=weights)


def load_checkpoint(folder: Path) -> Model:
    """Load a checkpoint that may have any classes and any architecture of MobileViT.

    Args:
        folder: holds config.json, and model.safetensors or pytorch_model.bin.

    Raises:
        WeightsUnavailable: if the folder holds no usable checkpoint.
    """
    return load_folder(folder, own_variant(folder.resolve().name, str(folder)))


def load_folder(folder: Path, variant: Variant) -> Model:
    """Load a checkpoint's folder.

    Args:
        folder: holds config.json, and model.safetensors or pytorch_model.bin.
        variant: the architecture that the checkpoint must have.

    Raises:
        WeightsUnavailable: if the folder holds no usable checkpoint of this variant.
    """
    try:
        return _load(read_checkpoint(folder, "local"), variant, lambda fraction, sentence: None)
    except NoWeights as error:
        raise WeightsUnavailable(
            f"{folder} cannot be loaded: {error}. Choose another folder or variant."
        ) from error


def use_first(
    sources: Sources, variant: Variant, use: Callable[[Checkpoint], Used]
) -> tuple[Used, WeightsSource]:
    """Use a variant's checkpoint from the first source that has a usable one.

    Returns:
        What `use` made of it, and where the weights came from, with the reason why sources of
        higher rank were passed over.

    Raises:
        NoWeights: if no source has any, with the reason of each.
    """
    reasons: list[str] = []
    for name, find in sources.items():
        try:
            checkpoint = find(variant)
            if checkpoint is None:
                continue
            used = use(checkpoint)
        except NoWeights as error:
            logger.info("%s: %s gave no weights: %s", variant.label, name, error)
            reasons.append(str(error))
        except InvalidOption:
            raise
        except Exception as error:  # a broken source must not keep the next from being asked
            logger.warning("%s: %s failed: %r", variant.label, name, error)
            reasons.append(f"the checkpoint of {variant.label} cannot be used")
        else:
            weights = dataclasses.replace(checkpoint.source, reason="; ".join(reasons))
            logger.info("%s: %s weights, %s", variant.label, weights.kind, weights.name)
            return used, weights
    raise NoWeights("; ".join(reasons))


def with_reason(model: Model, reason: str) -> Model:
    """Copy a model with the reason why better weights were passed over."""
    weights = dataclasses.replace(model.weights, reason=reason)
    return dataclasses.replace(model, weights=weights)


def _loader(variant: Variant, on_progress: OnProgress) -> Callable[[Checkpoint], Model]:
    return lambda checkpoint: _load(checkpoint, variant, on_progress)


def _load(checkpoint: Checkpoint, variant: Variant, on_progress: OnProgress) -> Model:
    on_progress(1.0, f"Loading {variant.label}")
    engines = load_engines(checkpoint, variant, on_progress)
    # Run the network once, so that the first visitor does not wait for it to be prepared.
    grey = np.full((1, 3, DEFAULT_SIDE, DEFAULT_SIDE), 0.5, np.float32)
    try:
        is_usable = np.isfinite(engines.engine(grey)).all()
    except Busy as busy:  # other machines run it
        raise NoWeights(str(busy)) from None
    if not is_usable:
        raise NoWeights(f"the checkpoint of {variant.label} gives no finite numbers")
    return Model(
        variant, engines.engine, checkpoint.source, engines.bf16_engine, checkpoint.classes
    )
