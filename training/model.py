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

_SILENT = -12.0
"""Logit of the classes that a checkpoint does not know: never the highest."""

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


def build_config(variant: Variant, classes: Sequence[str] = CLASS_NAMES) -> MobileViTConfig:
    """The configuration of the variant's checkpoint on the Hub, with these classes."""
    return MobileViTConfig(
        hidden_sizes=list(variant.hidden_sizes),
        neck_hidden_sizes=list(variant.neck_hidden_sizes),
        expand_ratio=variant.expand_ratio,
        hidden_dropout_prob=0.05 if variant.key == "xxs" else 0.1,
        image_size=512,
        output_stride=16,
        id2label=dict(enumerate(classes)),
        label2id={name: index for index, name in enumerate(classes)},
    )


def build_model(
    variant: Variant, seed: int, classes: Sequence[str] = CLASS_NAMES
) -> MobileViTForSemanticSegmentation:
    """A new network with Kaiming convolutions, float32, in channels_last layout.

    Dropout is off: minutes are few, and what these networks lack is training. The saved
    configuration keeps the variant's own values.
    """
    torch.manual_seed(seed)
    model = MobileViTForSemanticSegmentation(build_config(variant, classes))
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
    _begin_classes(model, torch.ones(len(classes), dtype=torch.bool))
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return model


def _begin_classes(model: MobileViTForSemanticSegmentation, rows: Tensor) -> None:
    """Give the logits of some classes, by a (C,) bool, small random weights."""
    classifier = model.segmentation_head.classifier.convolution
    assert classifier.bias is not None
    random = torch.randn_like(classifier.weight) * math.sqrt(1 / classifier.in_channels)
    with torch.no_grad():
        classifier.weight[rows] = random[rows]
        classifier.bias[rows] = 0.0


def names_of(model: MobileViTForSemanticSegmentation) -> list[str]:
    """The names of a network's classes, in the order of their ids."""
    return [model.config.id2label[index] for index in range(model.config.num_labels)]


def silence(model: MobileViTForSemanticSegmentation, classes: Sequence[str]) -> None:
    """Make the logits of all but some classes a constant that never wins."""
    others = torch.tensor([name not in classes for name in names_of(model)])
    classifier = model.segmentation_head.classifier.convolution
    assert classifier.bias is not None
    with torch.no_grad():
        classifier.weight[others] = 0.0
        classifier.bias[others] = _SILENT


def save_checkpoint(
    model: MobileViTForSemanticSegmentation,
    folder: Path,
    classes: Sequence[str] | None = None,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write config.json, preprocessor_config.json and model.safetensors.

    Args:
        model: not modified.
        folder: made if it is missing.
        classes: what the checkpoint may give, if not all; written into the configuration, where
            the app reads it. The logits of all others are made constant.
        dtype: of the weights in the file.
    """
    copy = MobileViTForSemanticSegmentation(model.config)
    trained = names_of(model) if classes is None else list(classes)
    copy.config.trained_classes = [name for name in names_of(model) if name in trained]
    copy.load_state_dict(model.state_dict())
    silence(copy, trained)
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


def load_checkpoint(
    folder: Path, seed: int, classes: Sequence[str] = CLASS_NAMES
) -> MobileViTForSemanticSegmentation:
    """The network of a checkpoint in float32; classes that it does not know begin at random.

    Args:
        folder: the checkpoint.
        seed: of what is random.
        classes: of the network; those of the checkpoint with the same name are taken over.
    """
    model = build_model(read_variant(folder), seed, classes)
    config = json.loads((folder / "config.json").read_text())
    labels = config.get("id2label") or dict(enumerate(CLASS_NAMES))
    names = [str(labels[key]) for key in sorted(labels, key=int)]
    known = config.get("trained_classes", names)
    weights = {
        name: w.float() if w.is_floating_point() else w
        for name, w in load_file(folder / "model.safetensors").items()
    }
    classifier = model.segmentation_head.classifier.convolution
    assert classifier.bias is not None
    begun = {"weight": classifier.weight.data.clone(), "bias": classifier.bias.data.clone()}
    for kind, rows in begun.items():
        key = f"segmentation_head.classifier.convolution.{kind}"
        for index, name in enumerate(classes):
            if name in known:
                rows[index] = weights[key][names.index(name)]
        weights[key] = rows
    model.load_state_dict(weights)
    return model
