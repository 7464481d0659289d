import csv
import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import PIL.Image
import pycocotools.mask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from demo import exports
from demo.classes import NOT_SEEN, PALETTE, VOC, build_class_set
from demo.exports import (
    areas_record,
    build_files,
    describe_file,
    encode_class_map,
    encode_cut_out,
    encode_labelmap,
    encode_png,
    encode_zip,
    run_record,
)
from demo.image import read_image
from tests.support.models import make_segmentation

sizes = st.tuples(st.integers(1, 30), st.integers(1, 30))
class_maps = hnp.arrays(np.uint8, sizes, elements=st.sampled_from([*range(21), NOT_SEEN]))


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))))
def test_png_is_lossless(image: np.ndarray) -> None:
    assert (read_image(encode_png(image)) == image).all()


@given(class_maps)
def test_a_saved_class_map_reads_back(class_map: np.ndarray) -> None:
    picture = PIL.Image.open(io.BytesIO(encode_class_map(make_segmentation(class_map.copy()))))
    assert picture.mode == "P"
    assert (np.asarray(picture) == class_map).all()
    assert (np.asarray(picture.convert("RGB")) == PALETTE[class_map]).all()


# pycocotools does not know the copy keyword of numpy 2 and causes this warning
@pytest.mark.filterwarnings("ignore:__array__ implementation")
@given(class_maps)
def test_each_file_of_the_zip_agrees_with_the_class_map(class_map: np.ndarray) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*class_map.shape, 3), dtype=np.uint8)
    segmentation = make_segmentation(class_map.copy())
    files = build_files(image, segmentation, "photo.jpg")
    with zipfile.ZipFile(io.BytesIO(encode_zip(files))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files

    assert (np.asarray(PIL.Image.open(io.BytesIO(files["classes.png"]))) == class_map).all()
    for folder in ("SegmentationClass", "SegmentationObject"):
        colours = PIL.Image.open(io.BytesIO(files[f"{folder}/photo.png"])).convert("RGB")
        assert (np.asarray(colours) == PALETTE[np.where(class_map == NOT_SEEN, 0, class_map)]).all()
    coco, areas = json.loads(files["coco.json"]), json.loads(files["areas.json"])["areas"]
    assert json.loads(files["areas.json"])["not_seen"] == (class_map == NOT_SEEN).sum()
    table = list(csv.DictReader(io.StringIO(files["areas.csv"].decode())))
    from_rle = np.where(class_map == NOT_SEEN, NOT_SEEN, 0)
    for annotation in coco["annotations"]:
        rle = annotation["segmentation"]
        assert rle["size"] == list(class_map.shape)
        mask = pycocotools.mask.decode({**rle, "counts": rle["counts"].encode()}) == 1
        from_rle[mask] = annotation["category_id"]
        assert annotation["area"] == mask.sum()
        left, top, width, height = (int(length) for length in annotation["bbox"])
        assert mask[top : top + height, left : left + width].sum() == mask.sum()
    assert (from_rle == class_map).all()
    for area in areas:
        mask = np.asarray(PIL.Image.open(io.BytesIO(files[f"class-{area['class_name']}.png"])))
        assert (mask == (class_map == area["class_id"])).all()
        assert area["pixels"] == mask.sum()
    rows = {int(row["class_id"]): int(row["pixels"]) for row in table}
    assert sum(rows.values()) == class_map.size
    assert {k: v for k, v in rows.items() if k != NOT_SEEN} == {
        area["class_id"]: area["pixels"] for area in areas
    }


@pytest.mark.parametrize(
    ("file_name", "listed"),
    [
        ("IMG  1.2.jpg", "IMG  1.2"),
        (" # #1 .jpg", "1"),
        ("a\nb.jpg", "a b"),
        ("#.jpg", "image"),
    ],
)
def test_the_zip_lists_its_image_by_a_name_that_fits_a_line(file_name: str, listed: str) -> None:
    segmentation = make_segmentation(np.zeros((2, 3), np.uint8))
    files = build_files(np.zeros((2, 3, 3), np.uint8), segmentation, file_name)
    assert files["ImageSets/Segmentation/default.txt"].decode() == f"{listed}\n"
    assert {f"{folder}/{listed}.png" for folder in ("JPEGImages", "SegmentationClass")} <= set(
        files
    )


def test_the_cut_out_is_transparent_outside_the_classes() -> None:
    class_map = np.array([[0, 15, NOT_SEEN]], np.uint8)
    image = np.array([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], np.uint8)
    content = encode_cut_out(image, make_segmentation(class_map))
    rgba = np.asarray(PIL.Image.open(io.BytesIO(content)))
    assert rgba.tolist() == [[[1, 2, 3, 0], [4, 5, 6, 255], [7, 8, 9, 0]]]


def test_a_class_0_that_is_no_background_is_in_every_file() -> None:
    classes = build_class_set(["road", "car"])
    class_map = np.array([[0, 0, 1, 1]], np.uint8)
    logits = np.zeros((2, 32, 32), np.float32)
    segmentation = replace(make_segmentation(class_map), classes=classes, logits=logits)
    files = build_files(np.full((1, 4, 3), 200, np.uint8), segmentation, "photo.jpg")
    assert [line[:2] for line in files["yolo/labels/photo.txt"].splitlines()] == [b"0 ", b"1 "]
    assert b"0: road\n  1: car" in files["yolo/data.yaml"]
    coco = json.loads(files["coco.json"])
    assert [len(coco[key]) for key in ("categories", "annotations")] == [2, 2]
    [task] = json.loads(files["label-studio.json"])
    assert len(task["predictions"][0]["result"]) == 2
    overlay = np.asarray(PIL.Image.open(io.BytesIO(files["overlay.png"])))
    assert (overlay != 200).any(axis=2).all()
    for name in ("cutout.png", "cutout-refined.png"):
        assert (np.asarray(PIL.Image.open(io.BytesIO(files[name])))[..., 3] == 255).all()


def test_the_run_record_names_image_weights_and_versions() -> None:
    record = run_record(make_segmentation(np.zeros((2, 3), np.uint8)), "photo.jpg")
    assert record["image"] == "photo.jpg" and record["weights"]["kind"] == "local"
    assert set(record["versions"]) >= {"torch", "transformers", "openvino", "numpy"}


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_VERSIONS", ("numpy", "openvino-of-no-such-name"))
    record = run_record(make_segmentation(np.zeros((2, 3), np.uint8)), "photo.jpg")
    assert record["versions"] == {"numpy": np.__version__}


def test_the_labelmap_has_a_line_for_each_class() -> None:
    lines = encode_labelmap(VOC).decode().splitlines()
    assert lines[0] == "# label:color_rgb:parts:actions"
    assert lines[1] == "background:0,0,0::" and lines[16] == "person:192,128,128::"
    assert len(lines) == 22


def test_the_areas_record_has_the_documented_keys() -> None:
    record = areas_record(make_segmentation(np.full((2, 3), 8, np.uint8)))
    assert record == {
        "variant": "s",
        "framing": "whole",
        "weights_source": "local",
        "accuracy": "",
        "revision": "sha256:0",
        "image_hw": [2, 3],
        "elapsed_ms": 1.0,
        "precision": "f32",
        "areas": [{"class_id": 8, "class_name": "cat", "pixels": 6, "fraction": 1.0}],
        "not_seen": 0,
        "notes": [],
    }


@pytest.mark.parametrize(
    ("kind", "licence"),
    [
        ("hub", "apple-amlr, https://huggingface.co/tests/fake"),
        ("bundled", "Apache-2.0, assets/tests/fake/README.md"),
        ("local", "unknown to this app"),
    ],
)
def test_the_files_tell_the_licence_of_their_weights_and_what_each_of_them_is(
    kind: str, licence: str
) -> None:
    plain = make_segmentation(np.full((2, 3), 8, np.uint8))
    segmentation = replace(plain, weights=replace(plain.weights, kind=kind))
    files = build_files(np.zeros((2, 3, 3), np.uint8), segmentation, "photo.jpg")
    readme = files["README.txt"].decode()
    assert f"Licence of the weights: {licence}" in readme
    assert licence in json.loads(files["run.json"])["weights_licence"]
    for name in files:
        if "/" not in name:
            assert describe_file(name)
            assert name.replace("class-cat", "class-NAME") in readme
