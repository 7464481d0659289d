"""What the viewer's JavaScript is given: JSON of images, logits and areas."""

import base64
import itertools
from typing import Any

import cv2
import numpy as np

from demo.areas import class_areas, count_not_seen
from demo.class_map import winning_classes
from demo.classes import NOT_SEEN
from demo.exports import encode_jpeg
from demo.image import Image
from demo.segmentation import Segmentation

DISPLAY_SIDE = 2048
"""Longest side of the picture sent to the page, in pixels; results keep the full size."""


def viewer_value(image: Image, segmentation: Segmentation) -> dict[str, Any]:
    """What demo/ui/viewer/viewer.js shows: the image and what can be inspected."""
    height, width = segmentation.image_hw
    return {
        "photo": "data:image/jpeg;base64," + _base64(encode_jpeg(_shrink(image))),
        "width": width,
        "height": height,
        "variant": segmentation.variant.key,
        **_inspectable(segmentation),
    }


def _inspectable(segmentation: Segmentation) -> dict[str, Any]:
    """What one result needs: the logits as half floats, the exact areas, and a description."""
    logits = segmentation.logits.astype("<f2")  # (21, h, w)
    found = [area.class_name for area in class_areas(segmentation) if area.class_id]
    return {
        "description": f"Your image with {', '.join(found) or 'nothing but background'} marked",
        "logits": _base64(logits.tobytes()),
        "grid": logits.shape[1:],
        "box": segmentation.framing.box,
        "winners": winning_classes(logits.astype(np.float32)).tolist(),
        "areas": [[area.class_id, area.pixels] for area in class_areas(segmentation)],
        "not_seen": count_not_seen(segmentation),
    }


def _shrink(image: Image) -> Image:
    height, width = image.shape[:2]
    scale = DISPLAY_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def compared_value(segmentation: Segmentation) -> dict[str, Any]:
    """What demo/ui/viewer/comparison.js shows of one variant."""
    variant = segmentation.variant
    height, width = segmentation.image_hw
    return {
        **_inspectable(segmentation),
        "key": variant.key,
        "label": variant.label,
        "parameters": round(variant.parameters / 1e6, 1),
        "miou": variant.published_miou,
        "elapsed_ms": segmentation.elapsed_ms,
        "weights": segmentation.weights.kind,
        "seen": height * width - count_not_seen(segmentation),
    }


def agreement(done: list[Segmentation]) -> list[dict[str, Any]]:
    """The share of seen pixels to which variants give the same class, for each pair and all."""
    groups = list(itertools.combinations(done, 2))
    if len(done) > 2:
        groups.append(tuple(done))  # type: ignore[arg-type]
    seen = done[0].class_map != NOT_SEEN
    shares = []
    for group in groups:
        same = np.logical_and.reduce([group[0].class_map == each.class_map for each in group[1:]])
        names = " and ".join(each.variant.key.upper() for each in group)
        shares.append({"pair": names, "share": float(same[seen].mean())})
    return shares
