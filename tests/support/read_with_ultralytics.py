"""Read an unpacked ZIP of the app with Ultralytics, and print as JSON what it found.

    .venv-ultralytics/bin/python tests/support/read_with_ultralytics.py ZIP_FOLDER DATASET_FOLDER

tests/test_readers.py calls this script, in an environment of its own because Ultralytics brings
another build of OpenCV. DATASET_FOLDER is made: Ultralytics wants folders named `images`, `labels`
and `masks` beside each other.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

os.environ["YOLO_OFFLINE"] = "1"
from ultralytics.data.dataset import SemanticDataset, YOLODataset
from ultralytics.data.utils import polygon2mask


def arrange(zip_folder: Path, dataset_folder: Path) -> None:
    """Put image, labels and class ids where Ultralytics looks for them."""
    [image] = (zip_folder / "JPEGImages").iterdir()
    (dataset_folder / "images").mkdir(parents=True)
    (dataset_folder / "masks").mkdir()
    shutil.copy(image, dataset_folder / "images")
    shutil.copytree(zip_folder / "yolo" / "labels", dataset_folder / "labels")
    shutil.copy(zip_folder / "class-ids.png", dataset_folder / "masks" / image.name)


def read_labels(dataset_folder: Path, names: dict[int, str]) -> dict[str, Any]:
    """Read the polygons as for training of YOLO's segmentation models: class name -> mask."""
    data = {"names": names, "channels": 3}
    dataset = YOLODataset(str(dataset_folder / "images"), data=data, task="segment", augment=False)
    [label] = dataset.labels
    height, width = label["shape"]
    masks: dict[str, np.ndarray] = {}
    for index, polygon in zip(label["cls"].ravel(), label["segments"], strict=True):
        corners = (polygon * [width, height]).ravel()
        mask = polygon2mask((height, width), [corners])
        masks[names[int(index)]] = masks.get(names[int(index)], 0) | mask
    return {name: mask.tolist() for name, mask in masks.items()}


def read_class_ids(dataset_folder: Path) -> Any:
    """Read the class ids as for training of YOLO's semantic models: H×W, 255 is ignored."""
    names = {class_id: str(class_id) for class_id in range(21)}
    data = {"names": names, "channels": 3, "nc": len(names)}
    dataset = SemanticDataset(
        img_path=str(dataset_folder / "images"), data=data, task="semantic", augment=False
    )
    return dataset.load_mask(0).tolist()


if __name__ == "__main__":
    zip_folder, dataset_folder = (Path(argument) for argument in sys.argv[1:])
    arrange(zip_folder, dataset_folder)
    names = yaml.safe_load((zip_folder / "yolo" / "data.yaml").read_text())["names"]
    found = {"labels": read_labels(dataset_folder, names)}
    found["class_ids"] = read_class_ids(dataset_folder)
    sys.stdout.write("\n" + json.dumps(found))
