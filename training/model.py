"""transformers' own model of each variant, freshly initialised or written as a checkpoint."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import MobileViTConfig, MobileViTForSemanticSegmentation

from demo.classes import CLASS_NAMES
from demo.variants import VARIANTS, Variant
from training.photographs import BACKGROUND, PERSON

_UNTRAINED_BIAS = -12.0
"""Logit of the classes that the photographs say nothing about: never the highest."""

TRAINED_CLASSES = [CLASS_NAMES[BACKGROUND], CLASS_NAMES[PERSON]]
"""Written into the configuration, where the app reads what the weights know."""

PREPROCESSOR = {
    "do_resize": True,
    "size": {"shortest_edge": 544},
    "do_center_crop": True,
    "crop_size": {"height": 512, "width": 512},
    "resample": 2,
    "do_rescale": True,
    "do_flip_channel_order": True,
    "image_processor_type": "MobileViTImageProcessor",
}


def build_config(variant: Variant) -> MobileViTConfig:
    """The configuration of the variant's checkpoint on the Hub."""
    return MobileViTConfig(
        hidden_sizes=list(variant.hidden_sizes),
        neck_hidden_sizes=list(variant.neck_hidden_sizes),
        expand_ratio=variant.expand_ratio,
        hidden_dropout_prob=0.05 if variant.key == "xxs" else 0.1,
        image_size=512,
        output_stride=16,
        id2label=dict(enumerate(CLASS_NAMES)),
        label2id={name: index for index, name in enumerate(CLASS_NAMES)},
    )


def build_model(variant: Variant, seed: int) -> MobileViTForSemanticSegmentation:
    """A new network with Kaiming convolutions, float32, in channels_last layout.

    Dropout is off: minutes are few, and what these networks lack is training. The saved
    configuration keeps the variant's own values.
    """
    torch.manual_seed(seed)
    model = MobileViTForSemanticSegmentation(build_config(variant))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    for module in model.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.p = 0.0
    _initialise_classifier(model.segmentation_head.classifier.convolution)
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return model


def _initialise_classifier(classifier: nn.Conv2d) -> None:
    assert classifier.bias is not None
    with torch.no_grad():
        nn.init.normal_(classifier.weight, std=math.sqrt(1 / classifier.in_channels))
        trained = torch.zeros(classifier.out_channels, dtype=torch.bool)
        trained[[BACKGROUND, PERSON]] = True
        classifier.weight[~trained] = 0
        classifier.bias.copy_(torch.where(trained, 0.0, _UNTRAINED_BIAS))


def save_checkpoint(
    model: MobileViTForSemanticSegmentation, folder: Path, dtype: torch.dtype = torch.float16
) -> None:
    """Write config.json, preprocessor_config.json and model.safetensors.

    Args:
        model: not modified.
        folder: made if it is missing.
        dtype: of the weights in the file.
    """
    copy = MobileViTForSemanticSegmentation(model.config)
    copy.config.trained_classes = TRAINED_CLASSES
    copy.load_state_dict(model.state_dict())
    nn.Module.to(copy, dtype=dtype).save_pretrained(folder)
    text = json.dumps(PREPROCESSOR, indent=1)
    (folder / "preprocessor_config.json").write_text(text + "\n")


def read_variant(folder: Path) -> Variant:
    """Which variant a checkpoint is, by the sizes in its config.

    Raises:
        ValueError: if it is none of the three.
    """
    sizes = json.loads((folder / "config.json").read_text())["neck_hidden_sizes"]
    for variant in VARIANTS.values():
        if list(variant.neck_hidden_sizes) == sizes:
            return variant
    raise ValueError(f"The checkpoint in {folder} is of none of the variants {list(VARIANTS)}.")


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The weights that `save_checkpoint` wrote, in float32."""
    weights = load_file(folder / "model.safetensors")
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in weights.items()
    }


def mean_weights(folders: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of checkpoints of one variant, of which one began with another.

    Source: M. Wortsman and others, "Robust fine-tuning of zero-shot models", CVPR 2022.

    Raises:
        ValueError: if they are of several variants.
    """
    if len({read_variant(folder).key for folder in folders}) > 1:
        raise ValueError(f"Expected checkpoints of one variant, got {[str(f) for f in folders]}.")
    first, *others = [read_weights(folder) for folder in folders]
    for name, tensor in first.items():
        if tensor.is_floating_point():
            for weights in others:
                tensor.add_(weights[name])
            tensor.div_(len(folders))
    return first
