"""Other people's readers take the app's files and find in them what the class map says."""

import io
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO

from demo.classes import CLASS_NAMES, NOT_SEEN
from demo.exports import build_files, encode_jpeg, encode_zip
from tests.support import ROOT
from tests.support.models import make_segmentation

READERS_PYTHON = ROOT / ".venv-readers" / "bin" / "python"
ULTRALYTICS_PYTHON = ROOT / ".venv-ultralytics" / "bin" / "python"

NAMES = ("photo.jpg", "a photo  of Zürich, 東京.jpg", " # 1 .jpg")


def make_class_map() -> NDArray[np.uint8]:
    """Draw a person with a hole, a cat at an edge, a television of one pixel, and a strip unseen.

    The classes and the background have parts apart from each other.
    """
    class_map = np.zeros((37, 53), np.uint8)
    class_map[3:20, 5:30] = CLASS_NAMES.index("person")
    class_map[10:15, 8:12] = 0
    class_map[25:, 40:] = class_map[5:9, 35:38] = CLASS_NAMES.index("cat")
    class_map[0, 0] = CLASS_NAMES.index("tvmonitor")
    class_map[:, -2:] = NOT_SEEN
    return class_map


CASES = [(make_class_map(), name) for name in NAMES] + [(np.zeros((5, 4), np.uint8), "empty.jpg")]


def write_files(folder: Path, class_map: NDArray[np.uint8], name: str) -> dict[str, Path]:
    """Write the image and its annotations as COCO has them, and unpack the ZIP."""
    image = np.random.default_rng(0).integers(0, 256, (*class_map.shape, 3), np.uint8)
    files = build_files(image, make_segmentation(class_map.copy()), name)
    coco, unpacked = folder / "coco", folder / "zip"
    for part in ("annotations", "images/default"):
        (coco / part).mkdir(parents=True)
    annotations = coco / "annotations" / "instances_default.json"
    annotations.write_bytes(files["coco.json"])
    polygons = folder / "coco-polygons.json"
    polygons.write_bytes(files["coco-polygons.json"])
    (coco / "images" / "default" / name).write_bytes(encode_jpeg(image))
    with zipfile.ZipFile(io.BytesIO(encode_zip(files))) as archive:
        archive.extractall(unpacked)
    paths = {"annotations": annotations, "polygons": polygons}
    return {"coco": coco, "zip": unpacked, **paths}


def draw_masks(masks: dict[str, Any], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw masks of classes into one map; fail if two of them share a pixel."""
    class_map = np.zeros(shape, np.uint8)
    for class_name, mask in masks.items():
        is_here = np.array(mask, bool)
        assert is_here.shape == shape and not class_map[is_here].any()
        class_map[is_here] = CLASS_NAMES.index(class_name)
    return class_map


@pytest.mark.parametrize(("class_map", "name"), CASES, ids=[name for _, name in CASES])
def test_other_readers_find_the_class_map(
    class_map: NDArray[np.uint8], name: str, tmp_path: Path
) -> None:
    if not READERS_PYTHON.exists():
        pytest.fail(
            "The readers are not installed. Run scripts/test, which makes .venv-readers for them."
        )
    written = write_files(tmp_path, class_map, name)
    command = [READERS_PYTHON, ROOT / "tests/support/read_exports.py"]
    done = subprocess.run(
        [*command, written["coco"], written["zip"]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {reader: each["image"] for reader, each in found.items()} == {
        "supervision, COCO": name,
        "Datumaro, COCO": Path(name).stem,
        "Datumaro, ZIP": "1" if "#" in name else Path(name).stem,
        "supervision, YOLO": ("1" if "#" in name else Path(name).stem) + ".png",
        "Label Studio": name,
    }
    yolo = found.pop("supervision, YOLO")
    check_grown_masks(yolo["masks"], class_map)
    for each in found.values():
        assert each["image_hw"] == list(class_map.shape) or not each["masks"]
        drawn = draw_masks(each["masks"], class_map.shape)
        assert (drawn == np.where(class_map == NOT_SEEN, 0, class_map)).all()


@pytest.mark.long
def test_ultralytics_finds_the_class_map(tmp_path: Path) -> None:
    if not ULTRALYTICS_PYTHON.exists():
        pytest.fail(
            "Ultralytics is not installed. Run scripts/install requirements-ultralytics.txt "
            ".venv-ultralytics."
        )
    class_map = make_class_map()
    written = write_files(tmp_path, class_map, NAMES[1])
    done = subprocess.run(
        [
            ULTRALYTICS_PYTHON,
            ROOT / "tests/support/read_with_ultralytics.py",
            written["zip"],
            tmp_path / "dataset",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "YOLO_CONFIG_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    check_grown_masks(found["labels"], class_map)
    assert (np.array(found["class_ids"]) == class_map).all()


def check_grown_masks(masks: dict[str, Any], class_map: NDArray[np.uint8]) -> None:
    """Fail unless each mask is that of the class map, or a pixel wider.

    OpenCV, with which readers of polygons fill them, also fills the pixels under their outlines.
    """
    assert {CLASS_NAMES.index(name) for name in masks} == set(class_map.ravel()) - {0, NOT_SEEN}
    for name, mask in masks.items():
        is_class = class_map == CLASS_NAMES.index(name)
        grown = cv2.dilate(is_class.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert (np.array(mask, bool) >= is_class).all()
        assert (np.array(mask, bool) <= grown).all()


# pycocotools does not know the copy keyword of numpy 2 and causes this warning
@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize("kind", ["annotations", "polygons"])
@pytest.mark.parametrize("name", NAMES)
def test_pycocotools_finds_the_class_map(
    name: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class_map = make_class_map()
    coco = COCO(str(write_files(tmp_path, class_map, name)[kind]))
    coco.info()
    assert "description: Classes found by MobileViT + DeepLabV3" in capsys.readouterr().out
    animals = [CLASS_NAMES[class_id] for class_id in coco.getCatIds(supNms=["animal"])]
    assert animals == ["bird", "cat", "cow", "dog", "horse", "sheep"]
    assert coco.loadImgs(coco.getImgIds())[0]["file_name"] == name
    for each in (coco, coco.loadRes(coco.loadAnns(coco.getAnnIds()))):
        annotations = each.loadAnns(each.getAnnIds(imgIds=1))
        masks = {CLASS_NAMES[a["category_id"]]: each.annToMask(a) for a in annotations}
        drawn = draw_masks(masks, class_map.shape)
        assert (drawn == np.where(class_map == NOT_SEEN, 0, class_map)).all()
