"""A JPEG whose scan is complete is read whole, whatever stands or is missing after it."""

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

from demo.errors import InvalidImage
from demo.image import read_image
from demo.ui.examples import EXAMPLES_FOLDER

ASTRONAUT = PIL.Image.open(EXAMPLES_FOLDER / "astronaut.jpg").convert("RGB").resize((200, 136))
KINDS: dict[str, Any] = {
    "baseline": {"subsampling": 2},
    "progressive": {"progressive": True},
    "grey": {"mode": "L"},
    "large blocks": {"quality": 100, "subsampling": 0},
}


def encode(mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    ASTRONAUT.convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("missing", "after"), [(2, b""), (1, b""), (0, b"more" * 99), (0, b"\xff" * 9), (2, b"\0" * 9)]
)
def test_a_complete_scan_is_read_whole(kind: str, missing: int, after: bytes) -> None:
    jpeg = encode(**KINDS[kind])
    cut = jpeg[: len(jpeg) - missing] + after
    assert (read_image(cut) == read_image(jpeg)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [12, 100, 0.3, 0.7])
def test_missing_pixels_are_told(kind: str, missing: float) -> None:
    jpeg = encode(**KINDS[kind])
    count = missing if missing >= 1 else missing * len(jpeg)
    with pytest.raises(InvalidImage, match="cut off before its end"):
        read_image(jpeg[: len(jpeg) - int(count)])


def test_a_progressive_jpeg_without_its_last_scans_is_told() -> None:
    jpeg = encode(progressive=True)
    for scan in range(2, jpeg.count(b"\xff\xda")):
        at = -1
        for _ in range(scan):
            at = jpeg.index(b"\xff\xda", at + 1)
        with pytest.raises(InvalidImage, match="cut off before its end"):
            read_image(jpeg[:at])


def test_noise_is_read_whole_too() -> None:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (67, 45, 3), dtype=np.uint8)
    PIL.Image.fromarray(noise).save(file, "JPEG", quality=95)
    assert (read_image(file.getvalue()[:-2]) == read_image(file.getvalue())).all()
