"""The photographs of a plan: a TOML file that lists folders to train with and to check with.

`classes` at its top names the classes in the order of their ids, "background" first; without it
they are VOC's. Each `[[train]]` and `[[check]]` has these keys, all but the first optional:

    folder      VOC layout (JPEGImages, SegmentationClass), or photographs without masks, or
                sub-folders of photographs, each named after the class that they show
    share       of the scenes, relative to the other folders
    only        the masks know these classes only; what they call background may be another class
    without     there are no masks, and nothing of these classes is in the pictures
    shows       there are no masks, and something of these classes is in every picture
    shift       rows and columns by which the masks lie too low and too far to the right
    skip        a text file beside the plan: names of the pictures to leave out
    skip_names  further names to leave out
    only_names  a text file beside the plan: names of the only pictures to take
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from demo.classes import CLASS_NAMES, build_class_set

VOID = 255


@dataclass(frozen=True)
class Item:
    """One photograph and what is known of it.

    Attributes:
        name: its path below the folder of all photographs, with slashes.
        path: of the photograph.
        mask: of its class ids, single channel, 255 void; or None.
        source: index of its folder in the plan.
        partial: class ids that alone are known; empty if the mask knows all of them. Without a
            mask nothing of these is in the picture.
        shows: class ids of which something is in the picture, where there is no mask.
        shift: rows and columns by which the mask lies too low and too far to the right.
        classes: the names of all classes, in the order of their ids.
    """

    name: str
    path: Path
    mask: Path | None
    source: int
    partial: tuple[int, ...]
    shows: tuple[int, ...]
    shift: tuple[int, int]
    classes: tuple[str, ...] = CLASS_NAMES


@dataclass(frozen=True)
class Plan:
    """What to train with and to check with.

    Attributes:
        train: all photographs to train with, in a fixed order.
        shares: of the scenes, for each folder.
        checks: the title of each folder to check with, and its photographs.
        classes: the names of all classes, in the order of their ids.
    """

    train: tuple[Item, ...]
    shares: tuple[float, ...]
    checks: dict[str, tuple[Item, ...]]
    classes: tuple[str, ...] = CLASS_NAMES


def read_plan(path: Path, folder: Path) -> Plan:
    """Read a plan and list its photographs below a folder.

    Raises:
        ValueError: if a folder of the plan holds no photographs, a class is unknown, or the
            classes make no sense.
    """
    plan = tomllib.loads(path.read_text(encoding="utf-8"))
    classes = build_class_set(plan.get("classes", CLASS_NAMES)).names

    def list_items(table: dict[str, Any], source: int) -> tuple[Item, ...]:
        return _list_items(table, source, path.parent, folder, classes)

    train = [list_items(table, index) for index, table in enumerate(plan["train"])]
    shares = tuple(float(table.get("share", 1.0)) for table in plan["train"])
    checks = {str(table["folder"]): list_items(table, 0) for table in plan.get("check", [])}
    return Plan(tuple(item for items in train for item in items), shares, checks, classes)


def _list_items(
    table: dict[str, Any], source: int, beside: Path, root: Path, classes: tuple[str, ...]
) -> tuple[Item, ...]:
    folder = root / table["folder"]
    wanted = _read_names(table, "only_names", beside)
    skip = _read_names(table, "skip", beside) | set(table.get("skip_names", []))
    items = []
    for photograph, mask, named in _list_photographs(folder, classes):
        if photograph.stem in skip or (wanted and photograph.stem not in wanted):
            continue
        items.append(
            Item(
                name=photograph.relative_to(root).as_posix(),
                path=photograph,
                mask=mask,
                source=source,
                partial=_class_ids(table.get("only", []) + table.get("without", []), classes),
                shows=_class_ids(table.get("shows", []) + named, classes),
                shift=tuple(table.get("shift", (0, 0))),
                classes=classes,
            )
        )
    if not items:
        raise ValueError(f"There are no photographs in {folder}. Expected JPEG files.")
    return tuple(items)


def _read_names(table: dict[str, Any], key: str, beside: Path) -> set[str]:
    return set((beside / table[key]).read_text().split()) if key in table else set()


def _class_ids(names: list[str], classes: tuple[str, ...]) -> tuple[int, ...]:
    unknown = set(names) - set(classes)
    if unknown:
        raise ValueError(f"Unknown classes {sorted(unknown)}. Choose from {list(classes)}.")
    return tuple(classes.index(name) for name in names)


def _list_photographs(
    folder: Path, classes: tuple[str, ...]
) -> Iterator[tuple[Path, Path | None, list[str]]]:
    """The photographs of a folder, their masks, and the class that their sub-folder names."""
    if (folder / "JPEGImages").is_dir():
        for path in sorted((folder / "JPEGImages").glob("*.jpg")):
            yield path, folder / "SegmentationClass" / f"{path.stem}.png", []
        return
    for path in sorted(folder.glob("*.jpg")):
        yield path, None, []
    for path in sorted(folder.glob("*/*.jpg")):
        name = path.parent.name
        yield path, None, [name] if name in classes else []


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Read a photograph as H×W×3 uint8 RGB."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise FileNotFoundError(f"Cannot read the photograph {path}.")
    return np.ascontiguousarray(pixels[:, :, ::-1]).astype(np.uint8, copy=False)


def read_mask(
    item: Item, image_hw: tuple[int, ...], *, as_published: bool = False
) -> NDArray[np.uint8]:
    """The class ids of an item that has a mask, else zeros; H×W uint8.

    Args:
        item: whose mask.
        image_hw: size of its photograph.
        as_published: leave a mask where it is, although it is known to lie wrong.

    Raises:
        ValueError: if the mask has another size, or is not single-channel.
    """
    if item.mask is None:
        return np.zeros(image_hw, np.uint8)
    with PIL.Image.open(item.mask) as opened:  # OpenCV would turn a palette into colours
        mask = np.asarray(opened)
    if mask.shape != image_hw:
        raise ValueError(f"Expected a single-channel mask of {image_hw} pixels in {item.mask}.")
    down, right = (0, 0) if as_published else item.shift
    return np.pad(mask[down:, right:], ((0, down), (0, right)), mode="edge").astype(np.uint8)
