"""A result in the formats of tools that label and train: COCO, YOLO and Label Studio."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pycocotools.mask
from numpy.typing import NDArray

from demo.areas import ClassArea, found_areas
from demo.classes import ClassSet
from demo.polygons import trace_polygons
from demo.segmentation import Segmentation

_RUN_BITS = (4, 8, 12, 16)
"""Sizes of the numbers that say how long a run of equal values is, in Label Studio's encoding."""

_CONTROL, _IMAGE = "tag", "image"
"""Names of the elements in Label Studio's configuration."""


def coco_record(
    segmentation: Segmentation, file_name: str, *, as_polygons: bool = False
) -> dict[str, Any]:
    """Build COCO annotations, ready for JSON: one for each class but background.

    An annotation covers all objects of its class, as in COCO-Stuff.

    Args:
        segmentation: the result.
        file_name: name of the image.
        as_polygons: write polygons along the edges of the pixels; else run-length masks.
    """
    height, width = segmentation.image_hw
    annotations: list[dict[str, Any]] = []
    for area, mask in _masks(segmentation):
        encoded = pycocotools.mask.encode(np.asfortranarray(mask, dtype=np.uint8))
        if as_polygons:
            shape: Any = [[float(v) for x_y in ring for v in x_y] for ring in trace_polygons(mask)]
        else:
            shape = {"size": [height, width], "counts": encoded["counts"].decode()}
        annotations.append(
            {
                "id": len(annotations) + 1,
                "image_id": 1,
                "category_id": area.class_id,
                "segmentation": shape,
                "area": area.pixels,
                "bbox": pycocotools.mask.toBbox(encoded).tolist(),
                "iscrowd": 0,  # as in COCO-Stuff; loaders ignore crowds
            }
        )
    return {
        "info": {
            "description": "Classes found by MobileViT + DeepLabV3, one mask for each class",
            "version": "1.0",
            "year": datetime.now(UTC).year,
            "contributor": segmentation.weights.name,
            "url": "",
            "date_created": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        "licenses": [],
        "images": [{"id": 1, "file_name": file_name, "height": height, "width": width}],
        "annotations": annotations,
        "categories": [
            {"id": c.id, "name": c.name, "supercategory": c.group}
            for c in segmentation.classes.foreground
        ],
    }


def _masks(segmentation: Segmentation) -> Iterator[tuple[ClassArea, NDArray[np.bool_]]]:
    """Give the area and the H×W mask of each class but background, the largest first."""
    for area in found_areas(segmentation):
        yield area, segmentation.class_map == area.class_id


def encode_yolo_labels(segmentation: Segmentation) -> bytes:
    """Write YOLO's segmentation labels: a line for each polygon.

    A line has the class, from 0 and without background, and x and y of each corner as fractions
    of the image.
    """
    height, width = segmentation.image_hw
    first = segmentation.classes.foreground[0].id
    lines = [
        " ".join(
            [
                str(area.class_id - first),
                *(f"{_fraction(x, width)} {_fraction(y, height)}" for x, y in ring),
            ]
        )
        for area, mask in _masks(segmentation)
        for ring in trace_polygons(mask)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _fraction(position: int, length: int) -> str:
    """Write a fraction with six digits, a half rounded up as the page without a server does."""
    return f"{math.floor(position * 1_000_000 / length + 0.5) / 1_000_000:.6f}"


def encode_yolo_data(classes: ClassSet) -> bytes:
    """Write the data.yaml that names YOLO's classes."""
    lines = ["train: images", "val: images", "names:"]
    lines += [f"  {i}: {each.name}" for i, each in enumerate(classes.foreground)]
    return ("\n".join(lines) + "\n").encode()


def label_studio_record(segmentation: Segmentation, file_name: str) -> list[dict[str, Any]]:
    """Build a task of Label Studio with the result as its prediction: a brush for each class."""
    height, width = segmentation.image_hw
    result = [
        {
            "id": area.class_name,
            "type": "brushlabels",
            "from_name": _CONTROL,
            "to_name": _IMAGE,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {
                "format": "rle",
                "rle": encode_brush(mask),
                "brushlabels": [area.class_name],
            },
        }
        for area, mask in _masks(segmentation)
    ]
    version = f"MobileViT-{segmentation.variant.key.upper()}, {segmentation.weights.name}"
    prediction = {"model_version": version, "result": result}
    return [{"data": {"image": file_name}, "predictions": [prediction]}]


def encode_label_studio_config(classes: ClassSet) -> bytes:
    """Write the labelling configuration that `label_studio_record` belongs to."""
    labels = [
        f'    <Label value={quoteattr(each.name)} background="#{bytes(each.colour).hex()}"/>'
        for each in classes.foreground
    ]
    lines = [
        "<View>",
        f'  <Image name="{_IMAGE}" value="$image"/>',
        f'  <BrushLabels name="{_CONTROL}" toName="{_IMAGE}">',
        *labels,
        "  </BrushLabels>",
        "</View>",
    ]
    return ("\n".join(lines) + "\n").encode()


def encode_brush(mask: NDArray[np.bool_]) -> list[int]:
    """Encode a mask as Label Studio's brush does.

    It holds the values of an RGBA picture, 255 where the mask is and else 0, as runs: a header
    with the number of values (32 bits), the size of a value less one (5 bits) and four sizes of run
    lengths less one (4 bits each); then for each run a one, which of the sizes (2 bits), its length
    less one, and its value.

    Args:
        mask: H×W bool.

    Returns:
        The bytes, as numbers.
    """
    flat = mask.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=~flat[:1]))
    lengths = 4 * np.diff(starts, append=flat.size)
    bits = [f"{4 * flat.size:032b}", f"{7:05b}", *(f"{size - 1:04b}" for size in _RUN_BITS)]
    longest = 1 << _RUN_BITS[-1]
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        value = "11111111" if flat[start] else "00000000"
        for done in range(0, length, longest):
            bits.append(_run_bits(min(longest, length - done)) + value)
    text = "".join(bits)
    padded = text + "0" * (-len(text) % 8)
    return list(int(padded, 2).to_bytes(len(padded) // 8, "big"))


def _run_bits(length: int) -> str:
    which = next(i for i, size in enumerate(_RUN_BITS) if length <= 1 << size)
    return f"1{which:02b}{length - 1:0{_RUN_BITS[which]}b}"


def encode_json(record: Any) -> bytes:
    """Write a record as JSON that people can read."""
    return (json.dumps(record, indent=2) + "\n").encode()
