import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from demo import batch
from demo.batch import NamedImage, find_images, gather_images, segment_batch
from demo.classes import PALETTE
from demo.errors import InvalidOption
from demo.models.model import Model


def paint(path: Path, class_id: int = 15) -> NamedImage:
    """Write an image whose right half is of a class, for the engine that knows colours."""
    truth = np.zeros((64, 96), np.uint8)
    truth[:, 48:] = class_id
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(PALETTE[truth]).save(path)
    return NamedImage(path.name, path)


def pack(path: Path, **members: bytes) -> NamedImage:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return NamedImage(path.name, path)


def test_one_bad_file_stops_nothing_and_names_stay_apart(model: Model, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    images = [
        paint(tmp_path / "a" / "photo.png"),
        NamedImage("broken.png", broken),
        paint(tmp_path / "b" / "photo.png", 8),
    ]
    target = tmp_path / "all.zip"
    rows = list(segment_batch(images, model, target))
    assert [bool(row.error) for row in rows] == [False, True, False]
    assert PIL.Image.open(io.BytesIO(rows[0].thumbnail)).size == (96, 64)
    with zipfile.ZipFile(target) as archive:
        names = set(archive.namelist())
        table = list(csv.DictReader(io.StringIO(archive.read("areas.csv").decode())))
        first = np.asarray(PIL.Image.open(io.BytesIO(archive.read("photo/classes.png"))))
    assert {"photo/classes.png", "photo-2/classes.png", "photo-2/coco.json"} <= names
    assert (first[:, 48:] == 15).all()
    found = [(row["image"], row["class_name"], row["pixels"]) for row in table if not row["error"]]
    assert ("photo.png", "person", "3072") in found and ("photo.png", "cat", "3072") in found
    (failure,) = (row for row in table if row["error"])
    assert failure["image"] == "broken.png" and "Expected a JPEG" in failure["error"]


def test_work_that_is_given_up_leaves_no_file(model: Model, tmp_path: Path) -> None:
    images = [paint(tmp_path / f"{i}.png") for i in range(3)]
    work = segment_batch(images, model, tmp_path / "all.zip")
    next(work)
    work.close()
    assert not (tmp_path / "all.zip").exists()


def test_images_are_taken_out_of_a_zip(tmp_path: Path) -> None:
    photo = paint(tmp_path / "photo.png").path.read_bytes()
    names = ("..__..__outside.png", "in__photo.PNG", "readme.txt", ".x__a.png")
    archive = pack(tmp_path / "all.zip", **dict.fromkeys(names, photo))
    (tmp_path / "out").mkdir()
    images = gather_images([archive], tmp_path / "out")
    assert [image.name for image in images] == ["in/photo.PNG"]
    assert list((tmp_path / "out").iterdir()) == [images[0].path]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no zip", "cannot be read as a ZIP"),
        (None, "There is no image among these files"),
    ],
    ids=["damaged", "without-images"],
)
def test_a_zip_of_no_use_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    archive = pack(tmp_path / "all.zip", **{"readme.txt": b""})
    if content:
        archive.path.write_bytes(content)
    with pytest.raises(InvalidOption, match=says):
        gather_images([archive], tmp_path)


@pytest.mark.parametrize("limit", ["MAX_IMAGES", "MAX_BYTES"])
def test_too_many_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(batch, limit, 2)
    photo = paint(tmp_path / "photo.png")
    zeros = pack(tmp_path / "bomb.zip", **{f"{i}.png": bytes(10_000) for i in range(5)})
    for files in ([photo] * 3, [zeros]):
        with pytest.raises(InvalidOption, match="Choose fewer at a time"):
            gather_images(files, tmp_path)
    written = sum(path.stat().st_size for path in tmp_path.glob("*-bomb.png"))
    assert written <= 3 * 10_000


def test_images_of_a_folder_are_found_in_order(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "in/c.png", ".hidden/d.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [path.name for path in find_images(tmp_path)]
    assert names == ["a.JPG", "b.png"]
    assert [path.name for path in find_images(tmp_path, recursive=True)] == [*names, "c.png"]
