"""Paths of transformers from an image to a class map of its size."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from transformers import (
    MobileViTForSemanticSegmentation,
    MobileViTImageProcessorPil,
    pipeline,
)

from benchmarks.ours import Segmenter, checkpoint_of
from demo.cpus import usable_cpus
from demo.image import Image


@cache
def reference_model(key: str) -> MobileViTForSemanticSegmentation:
    """Load transformers' model in float32, on as many threads as ours."""
    torch.set_num_threads(usable_cpus())
    model = MobileViTForSemanticSegmentation.from_pretrained(
        checkpoint_of(key), dtype=torch.float32
    )
    return model.eval()


def transformers_path(key: str, *, squash: bool = False) -> Segmenter:
    """Build a path of image processor, model and `post_process_semantic_segmentation`.

    Args:
        squash: show the network the whole image, as ours does, not the processor's centre crop.
    """
    model, processor = reference_model(key), _processor(key, squash=squash)

    def run(image: Image) -> NDArray[np.integer[Any]]:
        with torch.inference_mode():
            outputs = model(**processor(image, return_tensors="pt"))
        maps = processor.post_process_semantic_segmentation(outputs, target_sizes=[image.shape[:2]])
        class_map: NDArray[np.integer[Any]] = maps[0].numpy()
        return class_map

    return run


def pipeline_path(key: str) -> Segmenter:
    """Build a path of `pipeline("image-segmentation")` that merges its masks to a class map."""
    segmenter = pipeline(
        "image-segmentation",
        model=reference_model(key),
        image_processor=_processor(key, squash=False),
    )
    ids = reference_model(key).config.label2id

    def run(image: Image) -> NDArray[np.integer[Any]]:
        class_map = np.zeros(image.shape[:2], np.uint8)
        for found in segmenter(PIL.Image.fromarray(image)):
            class_map[np.asarray(found["mask"]) > 0] = ids[found["label"]]
        return class_map

    return run


def _processor(key: str, *, squash: bool) -> MobileViTImageProcessorPil:
    options: dict[str, Any] = (
        {"do_center_crop": False, "size": {"height": 512, "width": 512}} if squash else {}
    )
    return MobileViTImageProcessorPil.from_pretrained(checkpoint_of(key), **options)


PEERS: dict[str, Callable[[str], Segmenter]] = {
    "transformers": transformers_path,
    "pipeline": pipeline_path,
}
