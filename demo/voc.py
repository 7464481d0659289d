"""A folder in PASCAL VOC's layout: its lists, photographs and ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from demo.classes import VOC, ClassSet
from demo.errors import InvalidImage, InvalidOption
from demo.image import Image, read_image

VOID = 255
"""Value of pixels that are not judged: VOC's borders and difficult objects."""

_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
_PRESENCE = ("-1", "0", "1")
"""What VOC's lists of one class say in their second column."""

_PHOTOGRAPHS, _TRUTHS = "JPEGImages", "SegmentationClass"


@dataclass(frozen=True)
class VocPair:
    """A photograph and its ground truth.

    Attributes:
        id: the name by which reports call it.
        photograph: an image file.
        truth: a PNG file of class ids or class colours.
    """

    id: str
    photograph: Path
    truth: Path


@dataclass(frozen=True)
class VocSplit:
    """Photographs with ground truth.

    Attributes:
        folder: holds JPEGImages and SegmentationClass.
        pairs: the photographs to evaluate, in order.
        mask_class: the class id of a mask's white pixels, if the truth is masks of one class.
        classes: what the ids of the truth mean.
    """

    folder: Path
    pairs: tuple[VocPair, ...]
    mask_class: int | None = None
    classes: ClassSet = VOC

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of the photographs, in order."""
        return tuple(pair.id for pair in self.pairs)

    def read(self, pair: VocPair) -> tuple[Image, NDArray[np.uint8]]:
        """Read a photograph (H×W×3 uint8 RGB) and its ground truth (H×W uint8 ids, 255 void).

        Raises:
            InvalidImage: if either cannot be read, or they differ in size.
        """
        image = read_image(pair.photograph)
        truth = read_truth(pair.truth, self.mask_class, self.classes)
        if truth.shape != image.shape[:2]:
            raise InvalidImage(
                f"The ground truth is {truth.shape} and the photograph {image.shape[:2]} (height, "
                "width). They must be equal."
            )
        return image, truth


def find_split(
    folder: Path,
    split: str,
    limit: int | None = None,
    mask_class: str | None = None,
    classes: ClassSet = VOC,
) -> VocSplit:
    """Find the photographs of a split; without split files, all that have ground truth.

    Args:
        folder: has the layout of PASCAL VOC.
        split: a name, read from ImageSets/Segmentation/NAME.txt, or the path of such a file.
        limit: how many photographs to evaluate at most, the first ones.
        mask_class: name of the class of white pixels, if the truth is masks of one class.
        classes: what the ids of the truth mean.

    Raises:
        InvalidOption: if there is nothing to evaluate, or no class has that name.
    """
    photographs = _index(folder)
    listing = _find_list(folder, split)
    if listing is None:
        pairs = [
            _pair(folder, photographs, path.stem)
            for path in sorted((folder / _TRUTHS).glob("*.png"))
        ]
    else:
        pairs = [
            pair
            for line in _read_lines(listing)
            for pair in _pairs_of_line(folder, photographs, line)
        ]
    if not pairs:
        raise InvalidOption(
            f"Nothing to evaluate in {folder}. Expected JPEGImages/ID.jpg and "
            "SegmentationClass/ID.png, as PASCAL VOC has them."
        )
    return VocSplit(folder, tuple(pairs[:limit]), _class_id(mask_class, classes), classes)


def _class_id(name: str | None, classes: ClassSet) -> int | None:
    if name is None:
        return None
    if name not in classes.names:
        names = ", ".join(classes.names)
        raise InvalidOption(f"There is no class {name!r}. Choose one of {names}.")
    return classes.names.index(name)


def _find_list(folder: Path, split: str) -> Path | None:
    """Find the file of a split; None if the folder has no lists at all."""
    named = folder / "ImageSets" / "Segmentation" / f"{split}.txt"
    listing = next((path for path in (named, Path(split)) if path.is_file()), None)
    if listing is not None:
        return listing
    if Path(split).name != split or split.endswith(".txt"):
        raise InvalidOption(
            f"There is no list {split}. Give the path of a file, or a split's name."
        )
    others = sorted(path.stem for path in named.parent.glob("*.txt"))
    if others:
        raise InvalidOption(f"There is no split {split!r}. Choose one of {', '.join(others)}.")
    return None


def _read_lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InvalidOption(f"{path} is no list. Expected a text file with an id a line.") from None
    return [line.strip() for line in lines if line.strip()]


def _index(folder: Path) -> dict[str, Path]:
    """Map the names of the photographs, without their endings, to their files."""
    root = folder / _PHOTOGRAPHS
    found: dict[str, Path] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in _ENDINGS:
            found.setdefault(path.relative_to(root).with_suffix("").as_posix(), path)
    return found


def _name_of(entry: str) -> str:
    """Reduce an entry of a list to a name: no leading folder of VOC, no ending of an image."""
    path = PurePosixPath(entry.replace("\\", "/").lstrip("/").removeprefix("./"))
    if path.suffix.lower() in _ENDINGS:
        path = path.with_suffix("")
    parts = path.parts
    for number, part in enumerate(parts[:-1]):
        if part in (_PHOTOGRAPHS, _TRUTHS):
            parts = parts[number + 1 :]
            break
    return "/".join(parts)


def _pair(folder: Path, photographs: dict[str, Path], name: str) -> VocPair:
    photograph = photographs.get(name, folder / _PHOTOGRAPHS / f"{name}.jpg")
    return VocPair(name, photograph, folder / _TRUTHS / f"{name}.png")


def _pairs_of_line(folder: Path, photographs: dict[str, Path], line: str) -> list[VocPair]:
    """Read a line: a name, perhaps with spaces; a name and a number; or a photograph and its truth.

    What exists decides: "IMG 1" is a name if there is such a photograph.
    """
    name, words = _name_of(line), line.split()
    if name in photographs or len(words) == 1:
        return [_pair(folder, photographs, name)]
    for cut in range(1, len(words)):
        first, second = _name_of(" ".join(words[:cut])), " ".join(words[cut:])
        truth = folder / second.lstrip("/")
        if first in photographs and truth.is_file():
            return [VocPair(first, photographs[first], truth)]
    if all(_name_of(word) in photographs for word in words):
        return [_pair(folder, photographs, _name_of(word)) for word in words]
    if words[-1] in _PRESENCE:
        name = _name_of(" ".join(words[:-1]))
    return [_pair(folder, photographs, name)]


def read_truth(
    path: Path, mask_class: int | None = None, classes: ClassSet = VOC
) -> NDArray[np.uint8]:
    """Read ground truth: a PNG of class ids, or one of the classes' colours.

    Args:
        path: the file.
        mask_class: the class id of white pixels, if the file is a mask of one class.
        classes: what the ids mean.

    Returns:
        H×W uint8 class ids, 255 for void.

    Raises:
        InvalidImage: if the file fits none of this.
    """
    try:
        with PIL.Image.open(path, formats=["PNG"]) as opened:
            mode, values = opened.mode, np.asarray(opened)
            palette = opened.getpalette("RGB") if mode == "P" else None
            colours = np.asarray(opened.convert("RGB")) if mode in ("RGB", "RGBA") else None
    except Exception as error:  # Pillow raises errors of any type on a damaged file
        raise InvalidImage(f"The ground truth {path.name} cannot be read.") from error
    if colours is not None:
        return _ids_of_colours(colours, path, classes)
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * 255
    if values.ndim != 2 or values.dtype.kind not in "ui" or values.max(initial=0) > 255:
        raise InvalidImage(f"The ground truth {path.name} is not a single channel of class ids.")
    ids = values.astype(np.uint8)
    used = np.unique(ids)
    if palette is not None and not _is_in_order(palette, used, classes):
        table = np.zeros((256, 3), np.uint8)
        table.ravel()[: len(palette)] = palette
        return _ids_of_colours(table[ids], path, classes)
    if palette is None and VOID in used and set(used.tolist()) <= {0, VOID}:
        return _ids_of_mask(ids, path, mask_class)
    _check_ids(used, path, classes)
    return ids


def _is_in_order(palette: Sequence[int], used: NDArray[np.uint8], classes: ClassSet) -> bool:
    """Whether the values in use are class ids by their colours: the classes', or grey levels."""
    table = np.array(palette, np.uint8).reshape(-1, 3)
    if used.max(initial=0) >= len(table):
        return True  # the palette does not colour these values
    is_theirs = (table[used] == classes.palette[used]).all()
    return bool(is_theirs or (table[used] == used[:, None]).all())


def _ids_of_mask(ids: NDArray[np.uint8], path: Path, mask_class: int | None) -> NDArray[np.uint8]:
    if mask_class is None:
        raise InvalidImage(
            f"The ground truth {path.name} has the values 0 and 255 only, as a mask of one class "
            "has. Name the class with --mask-class, or give class ids."
        )
    return np.where(ids == VOID, np.uint8(mask_class), np.uint8(0))


def _check_ids(used: NDArray[np.uint8], path: Path, classes: ClassSet) -> None:
    strange = np.setdiff1d(used, [*range(len(classes)), VOID])
    if strange.size:
        raise InvalidImage(
            f"The ground truth {path.name} has the values {strange.tolist()}. Expected class ids "
            f"0 to {len(classes) - 1} and {VOID} for void."
        )


def _ids_of_colours(colours: NDArray[np.uint8], path: Path, classes: ClassSet) -> NDArray[np.uint8]:
    """Give each pixel the class of its colour in the palette; H×W×3 uint8 -> H×W uint8."""
    codes = colours.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    known = [*range(len(classes)), VOID]
    table = {int(classes.palette[i].astype(np.uint32) @ [65536, 256, 1]): i for i in known}
    present, positions = np.unique(codes, return_inverse=True)
    strange = [code for code in present.tolist() if code not in table]
    if strange:
        names = ", ".join(f"#{code:06x}" for code in strange[:3])
        raise InvalidImage(
            f"The ground truth {path.name} has the colours {names}, which are no class's. Expected "
            "class ids, or the colours of the checkpoint's classes, such as PASCAL VOC's."
        )
    ids = np.array([table[code] for code in present.tolist()], np.uint8)
    return ids[positions.reshape(codes.shape)]
