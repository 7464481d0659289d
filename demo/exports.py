"""Files made from a result: pictures, tables and annotations."""

import csv
import io
import re
import zipfile
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import PurePath
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from demo.annotations import (
    coco_record,
    encode_json,
    encode_label_studio_config,
    encode_yolo_data,
    encode_yolo_labels,
    label_studio_record,
)
from demo.areas import class_areas, count_not_seen
from demo.background import Background, replace_background
from demo.classes import NOT_SEEN, ClassSet
from demo.image import Image
from demo.models.checkpoint import WeightsSource
from demo.overlay import draw_overlay
from demo.segmentation import Segmentation

_VERSIONS = (
    "gradio",
    "numpy",
    "opencv-python-headless",
    "openvino",
    "pillow",
    "torch",
    "transformers",
)

FILE_NOTES = {
    "classes.png": "class ids, one channel",
    "class-NAME.png": "one mask for each class, white where it is",
    "overlay.png": "the image with its classes in colour",
    "cutout.png": "the image with a transparent background",
    "cutout-refined.png": "the same with edges that follow the image: an embellishment",
    "areas.csv": "area of each class, as a table",
    "areas.json": "area of each class, and what made the result",
    "coco.json": "COCO annotations, one run-length mask for each class",
    "coco-polygons.json": "the same as polygons; one with a hole is cut into several",
    "label-studio.json": "a task of Label Studio, with the result as its prediction",
    "label-studio.xml": "the labelling configuration for it",
    "class-ids.png": "class ids without a palette, for Ultralytics, which ignores 255, not seen",
    "labelmap.txt": "names and colours of the classes",
    "run.json": "variant, weights and versions that made the files",
    "README.txt": "licence of the weights, and this list",
    "folders": "image and masks, laid out as CVAT's \"Segmentation mask 1.1\"; YOLO's labels",
}
"""What each file of `build_files` is, with NAME for a class; and what the folders hold."""

_PNG_SPEED = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def encode_png(image: Image) -> bytes:
    """Encode an H×W×3 uint8 RGB image as PNG, losslessly."""
    return _encode(".png", image, _PNG_SPEED)


def encode_jpeg(image: Image, quality: int = 90) -> bytes:
    """Encode an H×W×3 uint8 RGB image as JPEG, for display only."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_class_map(segmentation: Segmentation) -> bytes:
    """Encode the class map as a single-channel PNG of class ids, with VOC's palette."""
    return _encode_ids(segmentation.class_map, segmentation.classes)


def _encode_ids(ids: NDArray[np.uint8], classes: ClassSet) -> bytes:
    picture = PIL.Image.fromarray(ids)
    picture.putpalette(classes.palette.tobytes())
    return _save(picture)


def encode_class(segmentation: Segmentation, class_id: int) -> bytes:
    """Encode one class as a 1-bit PNG that is white where the class is."""
    return _save(PIL.Image.fromarray(segmentation.class_map == class_id))


def encode_cut_out(image: Image, segmentation: Segmentation, *, refine: bool = False) -> bytes:
    """Encode the image as an RGBA PNG, transparent in the background and where nothing was seen."""
    kept = [each.id for each in segmentation.classes.foreground]
    nothing = Background("transparent")
    return encode_picture(replace_background(image, segmentation, kept, nothing, refine=refine))


def encode_picture(pixels: NDArray[np.uint8]) -> bytes:
    """Encode an H×W×3 RGB or H×W×4 RGBA uint8 picture as PNG."""
    return _save(PIL.Image.fromarray(pixels))


def encode_areas_csv(segmentation: Segmentation) -> bytes:
    """Write the areas as UTF-8 CSV: a row for each class, and one for pixels that were not seen."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["class_id", "class_name", "pixels", "fraction"])
    for area in class_areas(segmentation):
        table.writerow([area.class_id, area.class_name, area.pixels, f"{area.fraction:.6f}"])
    if not_seen := count_not_seen(segmentation):
        table.writerow([NOT_SEEN, "not seen", not_seen, ""])
    return file.getvalue().encode()


def encode_labelmap(classes: ClassSet) -> bytes:
    """Write the classes and their colours, one line for each class."""
    lines = ["# label:color_rgb:parts:actions"]
    lines += [f"{c.name}:{','.join(map(str, c.colour))}::" for c in classes.classes]
    return ("\n".join(lines) + "\n").encode()


def build_files(image: Image, segmentation: Segmentation, file_name: str) -> dict[str, bytes]:
    """Make all files that can be downloaded of a result; gives file name -> content.

    labelmap.txt and the names with a folder are what CVAT calls "Segmentation mask 1.1". They have
    PASCAL VOC's layout, so that `python -m demo evaluate` reads them, too. CVAT has no value for
    pixels that were not seen, so they are background there; each class is one object.

    Args:
        image: H×W×3 uint8 RGB, as it was segmented.
        segmentation: the result for it.
        file_name: name of the image, for the annotations.
    """
    stem = listed_name(file_name)
    class_map = segmentation.class_map
    nothing = 0 if segmentation.classes.has_background else NOT_SEEN
    seen_ids = np.where(class_map == NOT_SEEN, nothing, class_map).astype(np.uint8)
    ids_for_cvat = _encode_ids(seen_ids, segmentation.classes)
    files = {
        "classes.png": encode_class_map(segmentation),
        "overlay.png": encode_png(draw_overlay(image, segmentation)),
        "cutout.png": encode_cut_out(image, segmentation),
        "cutout-refined.png": encode_cut_out(image, segmentation, refine=True),
        "areas.csv": encode_areas_csv(segmentation),
        "areas.json": encode_json(areas_record(segmentation)),
        "coco.json": encode_json(coco_record(segmentation, file_name)),
        "coco-polygons.json": encode_json(coco_record(segmentation, file_name, as_polygons=True)),
        "label-studio.json": encode_json(label_studio_record(segmentation, file_name)),
        "label-studio.xml": encode_label_studio_config(segmentation.classes),
        "class-ids.png": _save(PIL.Image.fromarray(class_map)),
        f"yolo/labels/{stem}.txt": encode_yolo_labels(segmentation),
        "yolo/data.yaml": encode_yolo_data(segmentation.classes),
        "labelmap.txt": encode_labelmap(segmentation.classes),
        f"JPEGImages/{stem}.png": encode_png(image),
        f"SegmentationClass/{stem}.png": ids_for_cvat,
        f"SegmentationObject/{stem}.png": ids_for_cvat,
        "ImageSets/Segmentation/default.txt": f"{stem}\n".encode(),
        "run.json": encode_json(run_record(segmentation, file_name)),
        "README.txt": encode_readme(segmentation, file_name),
    }
    for area in class_areas(segmentation):
        files[f"class-{area.class_name}.png"] = encode_class(segmentation, area.class_id)
    return files


def encode_readme(segmentation: Segmentation, file_name: str) -> bytes:
    """Write what made a result, the licence of its weights, and what each file is."""
    lines = [
        f"Image: {' '.join(file_name.splitlines())}",
        f"Segmented by: {segmentation.variant.label} with DeepLabV3",
        segmentation.weights.describe(),
        f"Licence of the weights: {describe_licence(segmentation.weights)}",
        "",
        *(f"{name}: {note}" for name, note in FILE_NOTES.items()),
    ]
    return ("\n".join(lines) + "\n").encode()


def describe_file(name: str) -> str:
    """Say what a file of `build_files` is; it lies in no folder."""
    if name.startswith("class-") and name not in FILE_NOTES:
        return f"mask of {PurePath(name).stem.removeprefix('class-')}, white where it is"
    return FILE_NOTES[name]


def describe_licence(weights: WeightsSource) -> str:
    """Name the licence of weights, and where it can be read."""
    return {
        "hub": f"apple-amlr, https://huggingface.co/{weights.name}",
        "bundled": f"Apache-2.0, assets/{weights.name}/README.md in this app's repository",
        "local": "unknown to this app; ask whoever made the configured folder",
    }[weights.kind]


def listed_name(file_name: str) -> str:
    """Give the name without its ending, as a line of a list can hold it.

    Datumaro, which reads the list for CVAT, strips white space from both ends of a line and skips
    a line that begins with "#".
    """
    one_line = " ".join(PurePath(file_name).stem.splitlines())
    return re.sub(r"^[#\s]+", "", one_line).rstrip() or "image"


def encode_zip(files: dict[str, bytes]) -> bytes:
    """Pack files into one ZIP archive; PNGs are stored without compression."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            how = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            target.writestr(name, content, how)
    return archive.getvalue()


def run_record(segmentation: Segmentation, file_name: str) -> dict[str, Any]:
    """Describe what made a result, ready for JSON."""
    return {
        "image": file_name,
        "image_hw": list(segmentation.image_hw),
        "variant": segmentation.variant.key,
        "weights": asdict(segmentation.weights),
        "weights_licence": describe_licence(segmentation.weights),
        "framing": segmentation.framing.name,
        "network_hw": list(segmentation.framing.network_hw),
        "seen_box": list(segmentation.framing.box),
        "elapsed_ms": round(segmentation.elapsed_ms, 1),
        "precision": segmentation.precision,
        "notes": list(segmentation.notes),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _installed_versions(),
    }


def _installed_versions() -> dict[str, str]:
    """Find the versions of the packages that matter; openvino need not be installed."""
    found = {name: list(distributions(name=name)) for name in _VERSIONS}
    return {name: each[0].version for name, each in found.items() if each}


def _save(picture: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def areas_record(segmentation: Segmentation) -> dict[str, Any]:
    """Describe the areas and what made them, ready for JSON."""
    return {
        "variant": segmentation.variant.key,
        "framing": segmentation.framing.name,
        "weights_source": segmentation.weights.kind,
        "revision": segmentation.weights.revision,
        "accuracy": str(segmentation.weights.accuracy or ""),
        "image_hw": list(segmentation.image_hw),
        "elapsed_ms": round(segmentation.elapsed_ms, 1),
        "precision": segmentation.precision,
        "areas": [
            {
                "class_id": area.class_id,
                "class_name": area.class_name,
                "pixels": area.pixels,
                "fraction": area.fraction,
            }
            for area in class_areas(segmentation)
        ],
        "not_seen": count_not_seen(segmentation),
        "notes": list(segmentation.notes),
    }


def _encode(suffix: str, image: Image, options: list[int]) -> bytes:
    encoded, buffer = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not encoded:
        raise ValueError(f"Expected an image that {suffix} can hold, got shape {image.shape}.")
    return buffer.tobytes()
