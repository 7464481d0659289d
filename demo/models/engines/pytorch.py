"""The reference engine: transformers' own model, run by PyTorch."""

import copy
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import MobileViTConfig, MobileViTForSemanticSegmentation
from transformers.utils import logging as transformers_logging

from demo.classes import VOC
from demo.cpus import usable_cpus
from demo.models.checkpoint import NoWeights
from demo.variants import Variant

logger = logging.getLogger(__name__)


_ARCHITECTURE = {
    "num_channels": 3,
    "output_stride": 16,
    "patch_size": 2,
    "num_attention_heads": 4,
    "mlp_ratio": 2.0,
    "conv_kernel_size": 3,
    "hidden_act": "silu",
    "qkv_bias": True,
    "aspp_out_channels": 256,
    "atrous_rates": [6, 12, 18],
}
"""What the configs of all three variants share; another value would mean another network."""


class TorchEngine:
    """A MobileViT + DeepLabV3 in evaluation mode, on a GPU if there is one.

    Attributes:
        model: transformers' own module, on its device.
        precision: ``f32``, or ``bf16`` on a GPU that computes in it.
    """

    def __init__(
        self,
        model: MobileViTForSemanticSegmentation,
        *,
        precision: str = "f32",
        use_gpu: bool = True,
    ) -> None:
        has_gpu = use_gpu and torch.cuda.is_available()
        self.precision = precision
        self._device = torch.device("cuda" if has_gpu else "cpu")
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        if has_gpu:
            torch.backends.cudnn.allow_tf32 = False  # f32 means f32
        else:
            torch.set_num_threads(usable_cpus())
        self.model = model.to(device=self._device, dtype=self._dtype).eval()

    def in_bf16(self) -> "TorchEngine | None":
        """Copy the network in bf16; None on a CPU and on a GPU that would emulate it."""
        is_gpu = self._device.type == "cuda"
        if not is_gpu or not torch.cuda.is_bf16_supported(including_emulation=False):
            return None
        return TorchEngine(copy.deepcopy(self.model), precision="bf16")

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see `demo.models.engines.contract.Engine`."""
        with torch.inference_mode():
            inputs = torch.from_numpy(pixel_values).to(self._device, self._dtype)  # (1, 3, h, w)
            logits = self.model(pixel_values=inputs).logits  # (1, 21, h/16, w/16)
        result: NDArray[np.float32] = logits.float().cpu().numpy()
        return result


class _LogitsOnly(torch.nn.Module):
    """The network as a function of one tensor, which is what converters take."""

    def __init__(self, model: MobileViTForSemanticSegmentation) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(pixel_values=pixel_values).logits
        return logits


def trace_for_export(engine: TorchEngine) -> tuple[torch.nn.Module, torch.Tensor]:
    """Build a module (1, 3, h, w) -> (1, 21, h/16, w/16) on the CPU in float32, and an example.

    Tracing follows the sizes of the input, so that the graph serves all of them.
    """
    module = _LogitsOnly(engine.model).to(device="cpu", dtype=torch.float32)
    return module.eval(), torch.zeros(1, 3, 256, 256)


def load_torch_engine(folder: Path, variant: Variant, *, use_gpu: bool = True) -> TorchEngine:
    """Load a checkpoint in transformers' layout, whole or not at all.

    Args:
        folder: holds config.json, and model.safetensors or pytorch_model.bin; no code in a
            pickle is run.
        variant: the architecture that the checkpoint must have.
        use_gpu: False to run in float32 on the CPU even where there is a GPU.

    Raises:
        NoWeights: if a file is damaged or belongs to another architecture.
    """
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        config = MobileViTConfig.from_pretrained(folder, local_files_only=True)
        _check_config(config, variant)
        model, info = _read_model(folder, config)
        _check_keys(info, variant)
    except NoWeights:
        raise
    except Exception as error:  # the readers raise errors of any type on a damaged file
        logger.warning("%s: %s cannot be read: %r", variant.label, folder, error)
        raise NoWeights(f"the checkpoint of {variant.label} is damaged") from error
    return TorchEngine(model, use_gpu=use_gpu)


def _read_model(
    folder: Path, config: MobileViTConfig
) -> tuple[MobileViTForSemanticSegmentation, dict[str, Any]]:
    # Given a folder, transformers starts no conversion and asks the Hub nothing.
    model, info = MobileViTForSemanticSegmentation.from_pretrained(
        folder,
        config=config,
        dtype=torch.float32,
        local_files_only=True,
        weights_only=True,
        output_loading_info=True,
    )
    return model, info


def _check_config(config: MobileViTConfig, variant: Variant) -> None:
    if variant.name:
        return  # an own model may have any architecture that transformers builds
    expected = {
        "num_labels": len(VOC),
        **_ARCHITECTURE,
        "hidden_sizes": list(variant.hidden_sizes),
        "neck_hidden_sizes": list(variant.neck_hidden_sizes),
        "expand_ratio": variant.expand_ratio,
    }
    for key, value in expected.items():
        if getattr(config, key) != value:
            raise NoWeights(
                f"the checkpoint of {variant.label} does not fit: "
                f"{key} is {getattr(config, key)}, expected {value}"
            )


def _check_keys(info: dict[str, Any], variant: Variant) -> None:
    kinds = ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs")
    wrong = {kind: len(info[kind]) for kind in kinds if info.get(kind)}
    if wrong:
        logger.warning("%s: the weights differ from the network's: %s", variant.label, wrong)
        raise NoWeights(f"the checkpoint of {variant.label} does not fit: it has other weights")
