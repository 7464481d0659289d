"""Lists and ground truth as people have them, beside those of PASCAL VOC."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from demo.classes import PALETTE
from demo.errors import InvalidImage, InvalidOption
from demo.exports import build_files
from demo.voc import find_split, read_truth
from tests.support.models import make_segmentation

TRUTH = np.array([[0, 0, 8, 8], [15, 15, 8, 255], [0, 20, 20, 0]], np.uint8)


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    folder = tmp_path / "voc"
    for name in ("JPEGImages/trip", "SegmentationClass/trip", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True)
    for name in ("a", "b", "WhatsApp Image 1", "trip/c"):
        PIL.Image.fromarray(PALETTE[TRUTH]).save(folder / "JPEGImages" / f"{name}.jpg")
        save_truth(folder / "SegmentationClass" / f"{name}.png")
    return folder


def save_truth(file: Path, ids: np.ndarray = TRUTH, palette: np.ndarray | None = PALETTE) -> Path:
    image = PIL.Image.fromarray(ids)
    if palette is not None:
        image.putpalette(palette.astype(np.uint8).tobytes())
    image.save(file)
    return file


LISTS = {
    "names": (b"a\nb\n", ["a", "b"]),
    "a byte-order mark": (b"\xef\xbb\xbfa\nb\n", ["a", "b"]),
    "CRLF": (b"a\r\nb\r\n\r\n", ["a", "b"]),
    "spaces in a name": (b"WhatsApp Image 1\na\n", ["WhatsApp Image 1", "a"]),
    "a second column": (b"a -1\nb  1\nWhatsApp Image 1 -1\n", ["a", "b", "WhatsApp Image 1"]),
    "endings": (b"a.jpg\nb.png\n", ["a", "b"]),
    "relative paths": (b"JPEGImages/a.jpg\n./JPEGImages/b.jpg\ntrip/c\n", ["a", "b", "trip/c"]),
    "paths of another machine": (b"/data/VOC2012/JPEGImages/a.jpg\n", ["a"]),
    "pairs": (b"/JPEGImages/a.jpg /SegmentationClass/b.png\n", ["a"]),
    "pairs with spaces": (
        b"JPEGImages/WhatsApp Image 1.jpg SegmentationClass/WhatsApp Image 1.png\n",
        ["WhatsApp Image 1"],
    ),
    "several on a line": (b"a b\n", ["a", "b"]),
}


@pytest.mark.parametrize(("content", "names"), LISTS.values(), ids=LISTS)
def test_a_list_names_its_photographs(voc: Path, content: bytes, names: list[str]) -> None:
    (voc / "ImageSets" / "Segmentation" / "val.txt").write_bytes(content)
    split = find_split(voc, "val")
    assert list(split.ids) == names
    for pair in split.pairs:
        assert (split.read(pair)[1] == TRUTH).all()


def test_a_pair_names_its_own_truth(voc: Path) -> None:
    save_truth(voc / "SegmentationClass" / "b.png", np.zeros_like(TRUTH))
    (voc / "val.txt").write_text("/JPEGImages/a.jpg /SegmentationClass/b.png")
    split = find_split(voc, str(voc / "val.txt"))
    assert (split.read(split.pairs[0])[1] == 0).all()


@pytest.mark.parametrize("ending", [".jpeg", ".JPG", ".png", ".webp"])
def test_a_photograph_may_have_another_ending(voc: Path, ending: str) -> None:
    for path in (voc / "JPEGImages").rglob("*.jpg"):
        PIL.Image.open(path).save(path.with_suffix(ending))
        path.unlink()
    (voc / "ImageSets" / "Segmentation" / "val.txt").write_text("a\nWhatsApp Image 1\ntrip/c")
    split = find_split(voc, "val")
    assert [split.read(pair)[0].shape for pair in split.pairs] == [(3, 4, 3)] * 3


def repacked(file: Path) -> None:
    order = np.array([20, 255, 0, 8, 15])
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(order)] = PALETTE[order]
    save_truth(
        file, np.argsort(order)[np.searchsorted(np.sort(order), TRUTH)].astype(np.uint8), palette
    )


TRUTHS: dict[str, Callable[[Path], object]] = {
    "VOC's palette": save_truth,
    "a repacked palette": repacked,
    "a grey palette": lambda file: save_truth(file, TRUTH, np.arange(256)[:, None].repeat(3, 1)),
    "grey class ids": lambda file: save_truth(file, TRUTH, None),
    "16-bit class ids": lambda file: save_truth(file, TRUTH.astype(np.uint16), None),
    "RGB colours": lambda file: PIL.Image.fromarray(PALETTE[TRUTH]).save(file),
    "RGBA colours": lambda file: PIL.Image.fromarray(PALETTE[TRUTH]).convert("RGBA").save(file),
}


@pytest.mark.parametrize("save", TRUTHS.values(), ids=TRUTHS)
def test_labels_are_read_whatever_their_form(
    tmp_path: Path, save: Callable[[Path], object]
) -> None:
    save(tmp_path / "label.png")
    assert (read_truth(tmp_path / "label.png") == TRUTH).all()


MASK = np.where(TRUTH == 15, 255, 0).astype(np.uint8)
MISFITS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a mask": (lambda file: save_truth(file, MASK, None), "--mask-class"),
    "a 1-bit mask": (lambda file: PIL.Image.fromarray(MASK > 0).save(file), "--mask-class"),
    "other ids": (lambda file: save_truth(file, TRUTH + 40, None), "has the values"),
    "other colours": (lambda file: PIL.Image.new("RGB", (4, 3), "#123456").save(file), "#123456"),
    "another palette": (lambda file: save_truth(file, TRUTH, 255 - PALETTE), "no class's"),
}


@pytest.mark.parametrize(("save", "says"), MISFITS.values(), ids=MISFITS)
def test_labels_that_fit_nothing_are_refused_by_name(
    tmp_path: Path, save: Callable[[Path], object], says: str
) -> None:
    save(tmp_path / "label.png")
    with pytest.raises(InvalidImage, match=says) as caught:
        read_truth(tmp_path / "label.png")
    assert "label.png" in str(caught.value)


def test_masks_of_one_class_are_read_where_the_class_is_named(voc: Path) -> None:
    shutil.rmtree(voc / "ImageSets")
    save_truth(voc / "SegmentationClass" / "a.png", MASK, None)
    split = find_split(voc, "val", mask_class="person")
    assert (split.read(split.pairs[split.ids.index("a")])[1] == MASK // 255 * 15).all()
    with pytest.raises(InvalidOption, match=r"no class 'human'\. Choose one of background"):
        find_split(voc, "val", mask_class="human")


@pytest.mark.parametrize("name", ["photo.jpg", "WhatsApp Image 1.jpeg"])
def test_the_zip_of_a_result_is_read_back(tmp_path: Path, name: str) -> None:
    class_map = np.where(TRUTH == 255, 0, TRUTH)
    image = np.random.default_rng(0).integers(0, 256, (*TRUTH.shape, 3), dtype=np.uint8)
    for file, content in build_files(image, make_segmentation(class_map), name).items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(content)
    split = find_split(tmp_path, "default")
    (pair,) = split.pairs
    photograph, truth = split.read(pair)
    assert (photograph == image).all() and (truth == class_map).all()
