"""A PNG is read whatever text and profiles it carries."""

import io

import numpy as np
import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo

from demo.errors import InvalidImage
from demo.formats.icc import BROKEN
from demo.image import read_image_with_notes

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
LARGE = "plain words " * 250_000
NOISE = np.random.default_rng(1).bytes(2_000_000)


def encode(info: PngInfo | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(PIXELS).save(file, "PNG", pnginfo=info, **options)
    return file.getvalue()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("international", [False, True])
def test_large_texts_are_dropped(zipped: bool, international: bool) -> None:
    info = PngInfo()
    add = info.add_itxt if international else info.add_text
    add("Comment", LARGE, zip=zipped)
    image, notes = read_image_with_notes(encode(info))
    assert (image == PIXELS).all() and not notes


def test_many_texts_are_dropped_once_they_are_large_together() -> None:
    info = PngInfo()
    for number in range(40):
        info.add_text(f"Comment {number}", "x" * 900_000, zip=True)
    assert (read_image_with_notes(encode(info))[0] == PIXELS).all()


def test_a_large_profile_is_ignored_with_a_note() -> None:
    image, notes = read_image_with_notes(encode(icc_profile=NOISE))
    assert (image == PIXELS).all() and notes == (BROKEN,)


def test_a_chunk_that_promises_more_than_there_is_does_no_harm() -> None:
    png = encode()
    at = png.index(b"IDAT") - 4
    lying = png[:at] + b"\x7f\xff\xff\xfftEXt" + png[at:]
    with pytest.raises(InvalidImage, match=r"Save or download|cannot be read"):
        read_image_with_notes(lying)
