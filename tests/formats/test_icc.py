"""Colours with a profile come out as sRGB; the expected values follow from the definitions."""

import io

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from demo.formats.icc import BROKEN
from demo.image import read_image, read_image_with_notes

P3_TO_XYZ = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
SRGB_TO_XYZ = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
"""Columns are the primaries in XYZ, adapted to D50 as in the profiles."""

COLOURS = np.array([[200, 80, 60], [30, 160, 90], [128, 128, 128], [70, 70, 180]], np.uint8)
SRGB = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()


def display_p3() -> bytes:
    """Replace the primaries of the sRGB profile, which has the same curve."""
    profile = bytearray(SRGB)
    for tag, primary in zip((b"rXYZ", b"gXYZ", b"bXYZ"), P3_TO_XYZ.T, strict=True):
        entry = profile.index(tag, 128)
        start = int.from_bytes(profile[entry + 4 : entry + 8]) + 8
        fixed = np.round(primary * 65536).astype(">i4").tobytes()
        profile[start : start + 12] = fixed
    return bytes(profile)


def linear(colours: np.ndarray) -> np.ndarray:
    v = colours / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def p3_to_srgb(colours: np.ndarray) -> np.ndarray:
    light = linear(colours) @ (np.linalg.inv(SRGB_TO_XYZ) @ P3_TO_XYZ).T
    light = light.clip(0, 1)
    v = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(v * 255)


def encode(colours: np.ndarray, profile: bytes, format: str = "PNG", mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    image = PIL.Image.fromarray(np.repeat(colours[None], 8, axis=0))
    image = image.quantize(len(colours)) if mode == "P" else image.convert(mode)
    image.save(file, format, icc_profile=profile, **({"quality": 100} if format == "JPEG" else {}))
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_wide_gamut_profile_is_converted(mode: str) -> None:
    image = read_image(encode(COLOURS, display_p3(), mode=mode))
    assert np.abs(image[0].astype(float) - p3_to_srgb(COLOURS)).max() <= 1.5
    assert np.abs(image[0].astype(float) - COLOURS).max() > 10


def test_a_wide_gamut_jpeg_is_converted() -> None:
    wide = np.repeat(COLOURS, 16, axis=0)
    image = read_image(encode(wide, display_p3(), "JPEG"))
    assert np.abs(image[4, 8::16].astype(float) - p3_to_srgb(COLOURS)).max() < 6


def test_the_profile_of_srgb_changes_no_pixel() -> None:
    assert (read_image(encode(COLOURS, SRGB))[0] == COLOURS).all()


@pytest.mark.parametrize("mode", ["L", "CMYK", "LA"])
def test_a_profile_of_other_colours_than_the_image_s_is_ignored(mode: str) -> None:
    format = "TIFF" if mode == "CMYK" else "PNG"
    plain = encode(COLOURS, b"", format, mode)
    if mode == "CMYK":
        assert (read_image(encode(COLOURS, SRGB, format, mode)) == read_image(plain)).all()
    else:
        assert read_image(encode(COLOURS, SRGB, format, mode)).shape == (8, 4, 3)


@pytest.mark.parametrize(
    "profile", [b"no profile", SRGB[:200], b"\0" * 4096], ids=["text", "cut", "zeros"]
)
def test_a_broken_profile_is_ignored_with_a_note(profile: bytes) -> None:
    image, notes = read_image_with_notes(encode(COLOURS, profile))
    assert notes == (BROKEN,)
    assert (image[0] == COLOURS).all()
