"""Which engine runs the networks on this machine."""

import functools
import importlib.util
import logging
from pathlib import Path

from demo.errors import InvalidOption
from demo.models.checkpoint import Checkpoint, OnProgress
from demo.models.engines.contract import Engine
from demo.settings import engine_choice
from demo.variants import Variant

logger = logging.getLogger(__name__)


def load_engine(checkpoint: Checkpoint, variant: Variant, on_progress: OnProgress) -> Engine:
    """Load a checkpoint into the engine that suits this machine.

    Raises:
        NoWeights: if the checkpoint is damaged or belongs to another architecture.
        InvalidOption: if the settings ask for an engine that is unknown or not installed.
    """
    # Import the engines here: their runtimes take seconds to import.
    if choose_engine() == "openvino":
        from demo.models.engines.openvino import load_openvino_engine  # noqa: PLC0415

        return load_openvino_engine(checkpoint, variant, on_progress)
    from demo.models.engines.pytorch import load_torch_engine  # noqa: PLC0415

    return load_torch_engine(checkpoint.folder, variant)


@functools.cache
def choose_engine() -> str:
    """Name the engine: ``torch`` on a GPU, else ``openvino`` if installed, else ``torch``.

    SEGMENTATION_ENGINE comes before all of that.

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
        return False  # do not import torch only to hear the same
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_available())
