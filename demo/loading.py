"""Loading one variant: from which source of weights, into which engine."""

import dataclasses
import functools
import importlib.util
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.engines import Engine
from demo.errors import InvalidOption, WeightsUnavailable
from demo.framing import DEFAULT_SIDE
from demo.segmentation import WeightsSource
from demo.settings import engine_choice
from demo.variants import Variant
from demo.weights import SOURCES, Find, OnProgress, find_bundled

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedVariant:
    """An engine that is ready to run, and where its weights came from."""

    variant: Variant
    engine: Engine
    weights: WeightsSource


Load = Callable[[Variant, OnProgress], LoadedVariant]
"""How a variant is loaded; raises `WeightsUnavailable` with the reason where it has no weights."""


def load_variant(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
    """Load a variant's own weights from the best source that has usable ones.

    Raises:
        WeightsUnavailable: if no source has any, with the reason of each.
    """
    return _load_from(SOURCES, variant, on_progress)


def load_bundled(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
    """Load the checkpoint in assets/checkpoints.

    Raises:
        WeightsUnavailable: if the variant has none, or it is damaged.
    """
    return _load_from((find_bundled,), variant, on_progress)


def _load_from(
    sources: tuple[Find, ...], variant: Variant, on_progress: OnProgress
) -> LoadedVariant:
    """Load from the first source that has usable weights, and run the network once."""
    reasons: list[str] = []
    for find in sources:
        try:
            checkpoint = find(variant, on_progress)
            if checkpoint is None:
                continue
            on_progress(1.0, f"Loading {variant.label}")
            engine = load_engine(checkpoint.folder, variant, on_progress)
            _warm_up(engine, variant)
        except WeightsUnavailable as error:
            logger.info("%s: %s gave no weights: %s", variant.label, find.__name__, error)
            reasons.append(str(error))
            continue
        except InvalidOption:
            raise
        except Exception as error:  # a broken source must not stand in the way of the next
            logger.warning("%s: %s failed: %r", variant.label, find.__name__, error)
            reasons.append(f"the checkpoint of {variant.label} cannot be used")
            continue
        weights = because(checkpoint.source, reasons)
        logger.info("%s: %s weights, %s", variant.label, weights.kind, weights.name)
        return LoadedVariant(variant, engine, weights)
    raise WeightsUnavailable("; ".join(reasons))


def because(weights: WeightsSource, reasons: Iterable[str]) -> WeightsSource:
    """The same weights with why better ones were passed over."""
    return dataclasses.replace(weights, reason="; ".join(reasons))


def _warm_up(engine: Engine, variant: Variant) -> None:
    """Run the network once, so that the first visitor does not wait, and look at what it says."""
    grey = np.full((1, 3, DEFAULT_SIDE, DEFAULT_SIDE), 0.5, np.float32)
    if not np.isfinite(engine(grey)).all():
        raise WeightsUnavailable(f"the checkpoint of {variant.label} gives no finite numbers")


def load_engine(folder: Path, variant: Variant, on_progress: OnProgress) -> Engine:
    """Load a checkpoint into the engine that suits this machine.

    Raises:
        WeightsUnavailable: if the checkpoint is damaged or belongs to another architecture.
    """
    # engines are imported here because their runtimes take seconds to import
    if choose_engine() == "openvino":
        from demo.engines.openvino import load_openvino_engine  # noqa: PLC0415

        return load_openvino_engine(folder, variant, on_progress)
    from demo.engines.pytorch import load_torch_engine  # noqa: PLC0415

    return load_torch_engine(folder, variant)


@functools.cache
def choose_engine() -> str:
    """``torch`` on a GPU, else ``openvino`` if it is installed, unless the settings say.

    Raises:
        InvalidOption: if the settings ask for an engine that is unknown or not installed.
    """
    chosen = engine_choice()
    has_openvino = importlib.util.find_spec("openvino") is not None
    if chosen == "openvino" and not has_openvino:
        raise InvalidOption(
            "SEGMENTATION_ENGINE is openvino, which is not installed. "
            "Install it, or choose auto or torch."
        )
    if chosen != "auto":
        return chosen
    if _has_gpu():
        return "torch"
    if not has_openvino:
        logger.info("openvino is not installed; running on torch, which is slower on a CPU.")
        return "torch"
    return "openvino"


def _has_gpu() -> bool:
    if not Path("/dev/nvidiactl").exists():
        return False  # saves the import
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_available())
