"""Read the app's files with other people's readers, and print as JSON what each of them found.

    .venv-readers/bin/python tests/support/read_exports.py COCO_FOLDER ZIP_FOLDER

tests/test_readers.py calls this script. It runs in an environment of its own, because Datumaro
needs other versions of OpenCV and pandas than the app, and so it imports nothing of the app.

COCO_FOLDER holds `annotations/instances_default.json` and the image in `images/default`;
ZIP_FOLDER is the unpacked ZIP.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datumaro
import numpy as np
import supervision
from label_studio_sdk.converter.brush import decode_rle

Found = dict[str, Any]
"""What a reader found: `image`, its name; `image_hw`; `masks`, class name -> H×W of 0 and 1."""


def read_with_supervision(coco_folder: Path, zip_folder: Path) -> Found:
    """Read the COCO file as people do who train or evaluate detectors."""
    dataset = supervision.DetectionDataset.from_coco(
        images_directory_path=str(coco_folder / "images" / "default"),
        annotations_path=str(coco_folder / "annotations" / "instances_default.json"),
        force_masks=True,
    )
    [(path, image, detections)] = dataset
    masks = {}
    for index in range(len(detections)):  # without any, class_id and mask are None
        masks[dataset.classes[detections.class_id[index]]] = detections.mask[index]
    return _found(Path(path).name, image, masks)


def read_coco_with_datumaro(coco_folder: Path, zip_folder: Path) -> Found:
    """Read the COCO file with the importer that CVAT uses for "COCO 1.0"."""
    return _read_with_datumaro(coco_folder, "coco_instances")


def read_zip_with_datumaro(coco_folder: Path, zip_folder: Path) -> Found:
    """Read the ZIP with the importer that CVAT uses for "Segmentation mask 1.1".

    CVAT asks its own Datumaro for "voc", which there means all of VOC's tasks at the same time. In
    Datumaro 1 that name means the list in ImageSets/Main only.
    """
    return _read_with_datumaro(zip_folder, "voc_segmentation")


def read_yolo_with_supervision(coco_folder: Path, zip_folder: Path) -> Found:
    """Read the YOLO labels beside the image, as people do who train with Ultralytics."""
    labels = zip_folder / "yolo" / "labels"
    dataset = supervision.DetectionDataset.from_yolo(
        images_directory_path=str(zip_folder / "JPEGImages"),
        annotations_directory_path=str(labels),
        data_yaml_path=str(zip_folder / "yolo" / "data.yaml"),
        force_masks=True,
    )
    [(path, image, detections)] = dataset
    masks: dict[str, np.ndarray] = {}
    for index in range(len(detections)):
        name = dataset.classes[detections.class_id[index]]
        masks[name] = masks.get(name, False) | detections.mask[index]
    return _found(Path(path).name, image, masks)


def read_brushes_with_label_studio(coco_folder: Path, zip_folder: Path) -> Found:
    """Read the task with the decoder of Label Studio's own converter."""
    [task] = json.loads((zip_folder / "label-studio.json").read_text("utf-8"))
    masks, image = {}, np.zeros((0, 0))
    for brush in task["predictions"][0]["result"]:
        height, width = brush["original_height"], brush["original_width"]
        image = np.zeros((height, width))
        values = decode_rle(brush["value"]["rle"]).reshape(height, width, 4)
        assert (values == values[..., :1]).all()
        masks[brush["value"]["brushlabels"][0]] = values[..., 3] > 127
    return _found(task["data"]["image"], image, masks)


def _read_with_datumaro(folder: Path, format_name: str) -> Found:
    dataset = datumaro.Dataset.import_from(str(folder), format_name)
    labels = dataset.categories()[datumaro.AnnotationType.label]
    [item] = dataset
    found = [each for each in item.annotations if each.type == datumaro.AnnotationType.mask]
    masks = {labels[each.label].name: each.image for each in found}
    return _found(item.id, item.media.data, masks)


def _found(name: str, image: np.ndarray, masks: dict[str, np.ndarray]) -> Found:
    return {
        "image": name,
        "image_hw": image.shape[:2],
        "masks": {name: np.asarray(mask, int).tolist() for name, mask in masks.items()},
    }


READERS: dict[str, Callable[[Path, Path], Found]] = {
    "supervision, COCO": read_with_supervision,
    "Datumaro, COCO": read_coco_with_datumaro,
    "Datumaro, ZIP": read_zip_with_datumaro,
    "supervision, YOLO": read_yolo_with_supervision,
    "Label Studio": read_brushes_with_label_studio,
}


if __name__ == "__main__":
    folders = [Path(argument) for argument in sys.argv[1:]]
    found = {name: read(*folders) for name, read in READERS.items()}
    sys.stdout.write(json.dumps(found))
