"""Full-size networks with random weights, saved in transformers' layout."""

import json
from pathlib import Path

import torch
from torch import nn
from transformers import MobileViTForSemanticSegmentation

from demo.classes import CLASS_NAMES
from demo.variants import Variant
from tests.support import ROOT
from training.model import PREPROCESSOR, build_config


def save_random(variant: Variant, folder: Path, *, layout: str = "model.safetensors") -> Path:
    """Write a checkpoint with Kaiming weights whose predictions vary from pixel to pixel.

    Batch-norm's statistics come from images and no class leads everywhere, as after training.

    Args:
        layout: name of the weights file, model.safetensors or pytorch_model.bin.
    """
    torch.manual_seed(len(variant.key))
    model = MobileViTForSemanticSegmentation(build_config(variant))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain average of all batches
    _calibrate(model)
    model.save_pretrained(folder)
    if layout == "pytorch_model.bin":
        torch.save(model.state_dict(), folder / layout)
        (folder / "model.safetensors").unlink()
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return folder


OWN_NAMES = ("background", "worker", "forklift")
OWN_COLOURS = [[0, 0, 0], [255, 120, 0], [0, 90, 255]]


def save_own(folder: Path) -> Path:
    """Write a checkpoint with classes and colours of its own: the bundled XXS, that a person is a
    worker and a cat a forklift."""
    source = MobileViTForSemanticSegmentation.from_pretrained(
        ROOT / "assets" / "checkpoints" / "xxs", dtype=torch.float32
    )
    head = source.segmentation_head.classifier
    kept = [CLASS_NAMES.index(name) for name in ("background", "person", "cat")]
    weights = {key: tensor[kept] for key, tensor in head.convolution.state_dict().items()}
    head.convolution = nn.Conv2d(head.convolution.in_channels, len(kept), 1)
    head.convolution.load_state_dict(weights)
    source.config.id2label = dict(enumerate(OWN_NAMES))
    source.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    for key in ("trained_classes", "measured"):
        config.pop(key, None)
    (folder / "config.json").write_text(json.dumps({**config, "palette": OWN_COLOURS}))
    return folder


def _calibrate(model: MobileViTForSemanticSegmentation) -> None:
    """Set batch-norm's statistics and the classifier's bias from images of coloured blotches."""
    blotches = torch.rand(4, 3, 8, 8)
    images = nn.functional.interpolate(blotches, size=(256, 256), mode="bilinear")
    classifier = model.segmentation_head.classifier.convolution
    nn.init.normal_(classifier.weight, std=1.0)
    nn.init.zeros_(classifier.bias)
    with torch.no_grad():
        model.train()(pixel_values=images)
        logits = model.eval()(pixel_values=images).logits  # (4, 21, 16, 16)
        classifier.bias.copy_(-logits.mean(dim=(0, 2, 3)))
