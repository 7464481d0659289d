"""Which engine runs the networks on this machine, and in which precision."""

import functools
import importlib.util
import logging
from pathlib import Path
from typing import NamedTuple

from demo.cpus import computes_in_bf16
from demo.errors import InvalidOption
from demo.models.checkpoint import Checkpoint, OnProgress
from demo.models.engines.contract import Engine
from demo.settings import engine_choice, precision_choice, ray_addresses, ray_may_be_away
from demo.variants import Variant

logger = logging.getLogger(__name__)


class Engines(NamedTuple):
    """One network in the engines of this machine.

    Attributes:
        engine: for images; in f32 unless the settings ask for bf16.
        bf16_engine: for live view and video files; None where it would be no faster, or where the
            settings ask for one precision everywhere.
    """

    engine: Engine
    bf16_engine: Engine | None


def load_engines(checkpoint: Checkpoint, variant: Variant, on_progress: OnProgress) -> Engines:
    """Load a checkpoint into the engines that suit this machine.

    Raises:
        NoWeights: if the checkpoint is damaged or belongs to another architecture.
        InvalidOption: if the settings ask for an engine that is unknown or not installed, or for
            an unknown precision.
    """
    precision = precision_choice()
    f32, bf16 = _load_both(checkpoint, variant, on_progress)
    if precision != "bf16":
        return Engines(f32, bf16 if precision == "auto" else None)
    if bf16 is None:
        logger.warning("This machine does not compute in bf16, so f32 is used.")
    return Engines(bf16 or f32, None)


def _load_both(
    checkpoint: Checkpoint, variant: Variant, on_progress: OnProgress
) -> tuple[Engine, Engine | None]:
    """Load the network in f32, and in bf16 where the machine computes in that."""
    if choose_engine() == "ray":
        from demo.models.engines.ray import connect  # noqa: PLC0415

        def load_local() -> Engine:
            return _load_here(checkpoint, variant, on_progress)[0]

        local = load_local if ray_may_be_away() else None
        return connect(ray_addresses(), checkpoint, variant, on_progress, local)
    return _load_here(checkpoint, variant, on_progress)


def _load_here(
    checkpoint: Checkpoint, variant: Variant, on_progress: OnProgress
) -> tuple[Engine, Engine | None]:
    """Do the same on this machine."""
    # Import the engines here: their runtimes take seconds to import.
    if _choose_local_engine() == "openvino":
        from demo.models.engines.openvino import (  # noqa: PLC0415
            OpenVinoEngine,
            load_openvino_engine,
        )

        f32 = load_openvino_engine(checkpoint, variant, on_progress)
        return f32, OpenVinoEngine(f32.graph, "bf16") if computes_in_bf16() else None
    from demo.models.engines.pytorch import load_torch_engine  # noqa: PLC0415

    engine = load_torch_engine(checkpoint.folder, variant)
    return engine, engine.in_bf16()


@functools.cache
def choose_engine() -> str:
    """Name the engine: ``torch`` on a GPU, else ``openvino`` if installed, else ``torch``.

    SEGMENTATION_ENGINE comes before all of that, and may name ``ray``.

    Raises:
        InvalidOption: if the settings ask for an engine that is unknown or not installed.
    """
    chosen = engine_choice()
    return chosen if chosen == "ray" else _choose_local_engine()


def _choose_local_engine() -> str:
    chosen = engine_choice()
    has_openvino = importlib.util.find_spec("openvino") is not None
    if chosen == "openvino" and not has_openvino:
        raise InvalidOption(
            "SEGMENTATION_ENGINE is openvino, which is not installed. "
            "Install it, or choose auto or torch."
        )
    if chosen not in ("auto", "ray"):
        return chosen
    if _has_gpu():
        return "torch"
    if not has_openvino:
        logger.info("openvino is not installed; running on torch, which is slower on a CPU.")
        return "torch"
    return "openvino"


def _has_gpu() -> bool:
    if not Path("/dev/nvidiactl").exists():
        return False  # do not import torch only to hear the same
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_available())
