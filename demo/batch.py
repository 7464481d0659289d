"""Many images: each is segmented in turn; all results go into one ZIP, all areas into one table."""

import csv
import io
import zipfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import cv2

from demo.areas import ClassArea, class_areas
from demo.errors import DemoError, InvalidOption
from demo.exports import build_files, encode_jpeg, listed_name
from demo.framing import DEFAULT_FRAMING
from demo.image import Image, read_image_with_notes
from demo.inference import segment
from demo.models.model import Model
from demo.overlay import draw_overlay

MAX_IMAGES = 100
MAX_BYTES = 300_000_000
"""Most bytes of all images together, after they were taken out of a ZIP."""

THUMBNAIL_SIDE = 160
"""Longest side of a thumbnail in pixels."""

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".gif", ".bmp", ".tif", ".tiff")
)
"""Endings by which images are found in folders and in ZIPs."""

TABLE = "areas.csv"
"""Name of the table over all images in the ZIP."""


@dataclass(frozen=True)
class NamedImage:
    """An image file, and the name by which its visitor knows it."""

    name: str
    path: Path


@dataclass(frozen=True, eq=False)
class BatchRow:
    """What became of one image.

    Attributes:
        image: the file.
        areas: the classes in it, largest first; empty if it could not be segmented.
        thumbnail: JPEG of the overlay; empty if it could not be segmented.
        error: why it could not be segmented, or empty.
        notes: what was ignored when it was read.
    """

    image: NamedImage
    areas: tuple[ClassArea, ...] = ()
    thumbnail: bytes = b""
    error: str = ""
    notes: tuple[str, ...] = ()


def find_images(folder: Path, *, recursive: bool = False) -> list[Path]:
    """List the images of a folder, by their endings, in the order of their names.

    Args:
        folder: where to look; hidden files are left out.
        recursive: look in the folders inside, too.
    """
    found = folder.rglob("*") if recursive else folder.glob("*")
    return sorted(path for path in found if path.is_file() and _is_image(path.relative_to(folder)))


def _is_image(path: Path | PurePosixPath) -> bool:
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not is_hidden


def gather_images(files: Sequence[NamedImage], folder: Path) -> list[NamedImage]:
    """Take the images out of ZIP files, and check how many there are.

    Args:
        files: images and ZIP files.
        folder: where to put what comes out of ZIP files.

    Raises:
        InvalidOption: if there are no images, too many, or too many bytes.
    """
    images: list[NamedImage] = []
    left = MAX_BYTES
    for file in files:
        is_zip = file.name.lower().endswith(".zip")
        found = _unpack(file, folder, left) if is_zip else [file]
        images += found
        left -= sum(image.path.stat().st_size for image in found)
        if len(images) > MAX_IMAGES or left < 0:
            raise InvalidOption(
                f"These are more than {MAX_IMAGES} images or {MAX_BYTES // 1_000_000} MB. "
                "Choose fewer at a time."
            )
    if not images:
        raise InvalidOption("There is no image among these files. Choose images, or a ZIP of them.")
    return images


def _unpack(file: NamedImage, folder: Path, most_bytes: int) -> list[NamedImage]:
    """Copy the images of a ZIP under names of our own, at most so many bytes."""
    images: list[NamedImage] = []
    try:
        with zipfile.ZipFile(file.path) as archive:
            for member in archive.infolist():
                name = PurePosixPath(member.filename)
                if member.is_dir() or not _is_image(name):
                    continue
                if most_bytes < 0 or len(images) > MAX_IMAGES:
                    break  # the caller refuses so many
                target = folder / f"{len(images)}-{file.path.stem[:40]}{name.suffix.lower()}"
                with archive.open(member) as source:
                    content = source.read(most_bytes + 1)  # whatever the ZIP says of its size
                target.write_bytes(content)
                most_bytes -= len(content)
                images.append(NamedImage(str(name), target))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk is at fault, not the file
        raise InvalidOption(
            f"{file.name} cannot be read as a ZIP. Pack the images again, without a password."
        ) from None
    return images


def segment_batch(
    images: Sequence[NamedImage], model: Model, target: Path, framing: str = DEFAULT_FRAMING
) -> Generator[BatchRow, None, None]:
    """Segment images one by one; one that fails does not stop the others.

    The ZIP is complete when the iterator is at its end. If the iterator is closed before, the
    unfinished file is removed.

    Args:
        images: what to segment.
        model: a loaded variant.
        target: a ZIP file to write: a folder with all files for each image, and `TABLE`.
        framing: see `demo.framing.FRAMINGS`.
    """
    rows: list[BatchRow] = []
    names: set[str] = set()
    is_complete = False
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for image in images:
                row, files = _segment_one(image, model, framing)
                folder = _name_folder(image.name, names)
                for name, content in files.items():
                    how = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
                    archive.writestr(f"{folder}/{name}", content, how)
                rows.append(row)
                yield row
            archive.writestr(TABLE, encode_table(rows))
        is_complete = True
    finally:
        if not is_complete:
            target.unlink(missing_ok=True)


def _segment_one(
    image: NamedImage, model: Model, framing: str
) -> tuple[BatchRow, dict[str, bytes]]:
    try:
        pixels, notes = read_image_with_notes(image.path)
        segmentation = segment(pixels, model, framing=framing, notes=notes)
    except DemoError as error:
        return BatchRow(image, error=str(error)), {}
    thumbnail = _shrink(draw_overlay(pixels, segmentation))
    areas = tuple(class_areas(segmentation))
    row = BatchRow(image, areas, encode_jpeg(thumbnail, 80), notes=notes)
    return row, build_files(pixels, segmentation, PurePosixPath(image.name).name)


def _shrink(image: Image) -> Image:
    scale = min(1.0, THUMBNAIL_SIDE / max(image.shape))
    size = [max(1, round(length * scale)) for length in (image.shape[1], image.shape[0])]
    shrunk: Image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return shrunk


def _name_folder(file_name: str, names: set[str]) -> str:
    """Name the folder of an image after its file; images of one name are numbered."""
    stem = listed_name(file_name.replace("\\", "/"))
    name, number = stem, 1
    while name in names:
        number += 1
        name = f"{stem}-{number}"
    names.add(name)
    return name


def encode_table(rows: Sequence[BatchRow]) -> bytes:
    """Write one row for each class of each image, and one with the reason for each that failed."""
    return _write_table(cells for row in rows for cells in _table_rows(row))


def encode_records(records: Sequence[dict[str, Any]]) -> bytes:
    """Write the same table of records of areas, each with the ``photo`` that it belongs to."""
    return _write_table(
        [record["photo"], *_cells(**area)] for record in records for area in record["areas"]
    )


def _table_rows(row: BatchRow) -> Iterator[list[Any]]:
    if row.error:
        yield [row.image.name, "", "", "", "", row.error]
    for area in row.areas:
        yield [
            row.image.name,
            *_cells(area.class_id, area.class_name, area.pixels, area.fraction),
        ]


def _cells(class_id: int, class_name: str, pixels: int, fraction: float) -> list[Any]:
    return [class_id, class_name, pixels, f"{fraction:.6f}", ""]


def _write_table(rows: Iterable[list[Any]]) -> bytes:
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["image", "class_id", "class_name", "pixels", "fraction", "error"])
    table.writerows(rows)
    return file.getvalue().encode()
