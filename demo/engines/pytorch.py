"""The reference engine: transformers' own model, run by PyTorch."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import MobileViTConfig, MobileViTForSemanticSegmentation
from transformers.utils import logging as transformers_logging

from demo.classes import CLASS_NAMES
from demo.errors import WeightsUnavailable
from demo.variants import Variant


class TorchEngine:
    """A MobileViT + DeepLabV3 in evaluation mode, on a GPU if there is one."""

    name = "torch"

    def __init__(self, model: MobileViTForSemanticSegmentation) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.to(self._device).eval()

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see `demo.engines.Engine`."""
        with torch.inference_mode():
            inputs = torch.from_numpy(pixel_values).to(self._device)  # (1, 3, h, w)
            logits = self._model(pixel_values=inputs).logits  # (1, 21, h/16, w/16)
        result: NDArray[np.float32] = logits.float().cpu().numpy()
        return result


def load_torch_engine(folder: Path, variant: Variant) -> TorchEngine:
    """Load a checkpoint in transformers' layout, whole or not at all.

    Args:
        folder: holds config.json, and model.safetensors or pytorch_model.bin; no code in a
            pickle is run.
        variant: the architecture that the checkpoint must have.

    Raises:
        WeightsUnavailable: if a file is damaged or belongs to another architecture.
    """
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        config = MobileViTConfig.from_pretrained(folder, local_files_only=True)
        _check_config(config, variant)
        model, info = _read_model(folder, config)
        _check_keys(info)
    except (OSError, ValueError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        reason = str(error).strip().split("\n")[0][:160] or type(error).__name__
        raise WeightsUnavailable(
            f"the checkpoint of {variant.label} is damaged or does not fit ({reason})"
        ) from error
    return TorchEngine(model)


def _read_model(
    folder: Path, config: MobileViTConfig
) -> tuple[MobileViTForSemanticSegmentation, dict[str, Any]]:
    # from a folder, transformers starts no conversion and asks the Hub nothing
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
    expected = {
        "num_labels": len(CLASS_NAMES),
        "hidden_sizes": list(variant.hidden_sizes),
        "neck_hidden_sizes": list(variant.neck_hidden_sizes),
        "expand_ratio": variant.expand_ratio,
        "output_stride": 16,
    }
    for key, value in expected.items():
        if getattr(config, key) != value:
            raise ValueError(f"{key} is {getattr(config, key)}, expected {value}.")


def _check_keys(info: dict[str, Any]) -> None:
    kinds = ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs")
    wrong = {kind: len(info[kind]) for kind in kinds if info.get(kind)}
    if wrong:
        raise ValueError(f"not this network's weights: {wrong}")
