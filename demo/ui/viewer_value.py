"""Viewer values: what the page sends to the viewer's JavaScript, as JSON.

Each TypedDict has a twin of the same name in demo/ui/viewer/types.js, which also tells what its
fields mean.
"""

import base64
import itertools
from typing import TypedDict

import cv2
import numpy as np

from demo.areas import AreaRow, class_areas, count_not_seen, found_areas
from demo.class_map import winning_classes
from demo.classes import NOT_SEEN, VOC, ClassInfo
from demo.exports import encode_jpeg
from demo.image import Image
from demo.segmentation import Segmentation

DISPLAY_SIDE = 2048
"""Longest side of the picture sent to the page, in pixels; results keep the full size."""


class ViewerProps(TypedDict):
    """What every component of the viewer is mounted with."""

    module: str
    classes: list[ClassInfo]


class ExampleInfo(TypedDict):
    """One example that the loaded weights can do."""

    name: str
    description: str


class ComparisonProps(ViewerProps):
    """What the comparison is mounted with: the HTML of one viewer as well."""

    viewer: str


class OwnModel(TypedDict):
    """A model that the owner of the app offers beside the published variants."""

    key: str
    label: str


class LiveProps(ViewerProps):
    """What the live view is mounted with: the address of the page without a server, or nothing."""

    in_browser: str
    models: list[OwnModel]


class ResultValue(TypedDict):
    """What can be inspected in one result."""

    description: str
    logits: str
    grid: tuple[int, ...]
    box: tuple[float, float, float, float]
    winners: list[int]
    areas: list[AreaRow]
    not_seen: int
    classes: list[ClassInfo] | None


class ViewerImage(TypedDict):
    """An image, and its size in pixels."""

    photo: str
    width: int
    height: int


class ViewerValue(ViewerImage, ResultValue):
    """One result on its image."""

    variant: str


class ComparedValue(ResultValue):
    """The result of one variant in a comparison."""

    key: str
    label: str
    parameters: float
    accuracy: str
    elapsed_ms: float
    weights: str
    seen: int


class FailedValue(TypedDict):
    """Why a comparison lacks the result of a variant."""

    key: str
    label: str
    error: str


class AgreementRow(TypedDict):
    """The fraction of seen pixels to which some variants give the same class."""

    variants: list[str]
    share: float


class ComparisonValue(ViewerImage):
    """The results of a comparison that have come in so far."""

    run: str
    results: list[ComparedValue | FailedValue]
    pending: str
    agreement: list[AgreementRow]


def viewer_value(image: Image, segmentation: Segmentation) -> ViewerValue:
    """Build what demo/ui/viewer/viewer.js shows: the image and what can be inspected."""
    return {
        **viewer_image(image),
        "variant": segmentation.variant.key,
        **_inspectable(segmentation),
    }


def viewer_image(image: Image) -> ViewerImage:
    """Build what the page shows of an image."""
    height, width = image.shape[:2]
    return {
        "photo": "data:image/jpeg;base64," + _base64(encode_jpeg(_shrink(image))),
        "width": width,
        "height": height,
    }


def _inspectable(segmentation: Segmentation) -> ResultValue:
    logits = segmentation.logits.astype("<f2")  # (C, h, w)
    found = [area.class_name for area in found_areas(segmentation)]
    classes = segmentation.classes
    return {
        "description": f"Your image with {', '.join(found) or 'nothing but background'} marked",
        "logits": _base64(logits.tobytes()),
        "grid": logits.shape[1:],
        "box": segmentation.framing.box,
        "winners": winning_classes(logits.astype(np.float32)).tolist(),
        "areas": [[area.class_id, area.pixels] for area in class_areas(segmentation)],
        "not_seen": count_not_seen(segmentation),
        "classes": None if classes is VOC else classes.infos,
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


def compared_value(segmentation: Segmentation) -> ComparedValue:
    """Build what demo/ui/viewer/comparison.js shows of one variant."""
    variant = segmentation.variant
    height, width = segmentation.image_hw
    return {
        **_inspectable(segmentation),
        "key": variant.key,
        "label": variant.label,
        "parameters": round(variant.parameters / 1e6, 1),
        "accuracy": str(segmentation.weights.accuracy or ""),
        "elapsed_ms": segmentation.elapsed_ms,
        "weights": segmentation.weights.badge,
        "seen": height * width - count_not_seen(segmentation),
    }


def agreement(done: list[Segmentation]) -> list[AgreementRow]:
    """Compute the fraction of seen pixels on which variants agree, for each pair and for all."""
    if len(done) < 2:
        return []
    groups: list[tuple[Segmentation, ...]] = [*itertools.combinations(done, 2)]
    if len(done) > 2:
        groups.append(tuple(done))
    seen = done[0].class_map != NOT_SEEN
    rows: list[AgreementRow] = []
    for group in groups:
        same = np.logical_and.reduce([group[0].class_map == each.class_map for each in group[1:]])
        keys = [each.variant.key for each in group]
        rows.append({"variants": keys, "share": float(same[seen].mean())})
    return rows
