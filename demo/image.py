"""The one reader: turns any file, bytes, data URL or array into an H×W×3 uint8 RGB image."""

import base64
import binascii
import io
import stat
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import pillow_heif
from numpy.typing import NDArray

from demo.errors import InvalidImage
from demo.formats import icc, jpeg, png

pillow_heif.register_heif_opener()

Image = NDArray[np.uint8]
"""H×W×3 uint8 RGB in [0, 255], C-contiguous."""

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF")
"""Pillow's names of the formats that are read; JPEG includes the MPO of some phones."""

MAX_PIXELS = 8192 * 6144
"""Largest width × height that is decoded, unless the caller gives another limit: what phones of 50
megapixels take."""

MAX_SIDE = 1_000_000
"""Longest side in pixels: the most that a PNG can be written with."""

MAX_BYTES = 64_000_000
"""Size of the largest file that is read."""

_BAND_PIXELS = 1_000_000

_EXPECTED = "Expected a JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF image"
_SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
_PHOTOMETRIC_TAG, _WHITE_IS_ZERO = 262, 0
"""TIFF's tag that says how grey is stored, and its value where 0 is white."""

_THIRTY_TWO_BIT_MODES = ("I", "F")


Source = str | Path | bytes | PIL.Image.Image | NDArray[Any]
"""What can be read; see `read_image`."""


def read_image(source: Source, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read an image as a person would see it.

    EXIF orientation is applied, transparency is laid over white, 16-bit values are scaled,
    embedded colour profiles are converted to sRGB, and an animation gives its first frame.

    Args:
        source: a path, the bytes of a file, a base64 ``data:`` URL, an opened Pillow image, or
            an array H×W, H×W×3 (RGB) or H×W×4 (RGBA) of uint8 or uint16.
        max_pixels: largest width × height; larger ones are refused before they are decoded.

    Returns:
        H×W×3 uint8 sRGB, a new array.

    Raises:
        InvalidImage: if the source is not such an image.
    """
    return read_image_with_notes(source, max_pixels=max_pixels)[0]


def read_image_with_notes(
    source: Source, *, max_pixels: int = MAX_PIXELS
) -> tuple[Image, tuple[str, ...]]:
    """Do the same as `read_image`, and say what was ignored, one sentence for each thing."""
    if isinstance(source, np.ndarray):
        return _read_array(source, max_pixels), ()
    if isinstance(source, PIL.Image.Image):
        return _decode(source, max_pixels)
    content = _read_bytes(source)
    lost_profile = False
    if content.startswith(png.SIGNATURE):
        content, lost_profile = png.drop_large_texts(content)
    with _open(content) as opened:
        _check_size(opened.width, opened.height, max_pixels)
        mended = jpeg.mend(content) if opened.format in ("JPEG", "MPO") else content
        if mended is content:
            image, notes = _decode(opened, max_pixels)
        else:
            with _open(mended) as whole:
                image, notes = _decode(whole, max_pixels)
    return image, (*notes, icc.BROKEN) if lost_profile else notes


def _open(content: bytes) -> PIL.Image.Image:
    try:
        return PIL.Image.open(io.BytesIO(content), formats=FORMATS)
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise InvalidImage(
            "The image has too many pixels to be decoded safely. Scale it down and try again."
        ) from None
    except Exception as error:  # Pillow's plugins raise errors of any type on a damaged header
        raise InvalidImage(
            f"The file cannot be read as an image. {_EXPECTED}; open it elsewhere, "
            "save it as JPEG or PNG, and try again."
        ) from error


def _read_bytes(source: str | Path | bytes) -> bytes:
    if isinstance(source, str) and source[:5].lower() == "data:":
        source = _decode_data_url(source)
    if isinstance(source, bytes):
        _check_bytes(len(source))
        return source
    try:
        return _checked_path(Path(source)).read_bytes()
    except OSError:
        raise InvalidImage(f"The file cannot be opened. {_EXPECTED} that can be read.") from None


def _checked_path(path: Path) -> Path:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InvalidImage(f"There is no file of that name. {_EXPECTED}.") from None
    except (OSError, ValueError):
        raise InvalidImage(f"The file cannot be opened. {_EXPECTED} that can be read.") from None
    if not stat.S_ISREG(status.st_mode):
        raise InvalidImage(f"That is a folder or a device, not a file. {_EXPECTED}.")
    _check_bytes(status.st_size)
    return path


def _check_bytes(size: int) -> None:
    if size == 0:
        raise InvalidImage(f"The file is empty (0 bytes). {_EXPECTED}.")
    if size > MAX_BYTES:
        raise InvalidImage(
            f"The file has {size / 1e6:.0f} MB; at most {MAX_BYTES // 1_000_000} are accepted. "
            "Scale the image down or save it as JPEG."
        )


def _decode_data_url(url: str) -> bytes:
    header, _, content = url.partition(",")
    if not header.endswith(";base64"):
        raise InvalidImage(f"The data URL is not base64. {_EXPECTED} as data:image/…;base64,….")
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidImage(f"The data URL is damaged base64. {_EXPECTED} in it.") from None


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise InvalidImage(f"The image is {width}×{height} pixels. It needs at least one pixel.")
    if width * height > max_pixels:
        raise InvalidImage(
            f"The image is {width}×{height}, {width * height:,} pixels; at most {max_pixels:,} are "
            "accepted. Scale it down and try again."
        )
    if max(width, height) > MAX_SIDE:
        raise InvalidImage(
            f"The image is {width}×{height}; at most {MAX_SIDE:,} pixels a side are accepted. "
            "Cut it and try again."
        )


def _decode(opened: PIL.Image.Image, max_pixels: int) -> tuple[Image, tuple[str, ...]]:
    _check_size(opened.width, opened.height, max_pixels)
    if opened.mode in _THIRTY_TWO_BIT_MODES:
        raise InvalidImage(
            "The image has 32 bits per channel, which has no agreed brightness range. "
            "Save it with 8 or 16 bits per channel and try again."
        )
    try:
        opened.load()
        conversion, notes = _plan_colours(opened)
        pixels = _to_rgb(_apply_orientation(opened), conversion)
    except MemoryError:
        raise InvalidImage(
            "There is not enough memory for an image of this size. Scale it down and try again."
        ) from None
    except Exception as error:  # truncated and damaged pixels raise errors of any type as well
        raise InvalidImage(
            "The image is damaged or cut off before its end. Save or download it again and retry."
        ) from error
    if _stores_white_as_zero(opened):
        np.subtract(255, pixels, out=pixels)
    return pixels, notes


def _plan_colours(image: PIL.Image.Image) -> tuple[icc.ToSrgb | None, tuple[str, ...]]:
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile:
        return None, ()
    try:
        return icc.plan_conversion(profile, image.mode), ()
    except ValueError:
        return None, (icc.BROKEN,)


def _stores_white_as_zero(opened: PIL.Image.Image) -> bool:
    """Whether 16-bit grey is stored as a negative; Pillow turns only fewer bits round."""
    tags = getattr(opened, "tag_v2", {})
    is_negative = tags.get(_PHOTOMETRIC_TAG) == _WHITE_IS_ZERO
    return opened.mode in _SIXTEEN_BIT_MODES and is_negative


def _apply_orientation(image: PIL.Image.Image) -> PIL.Image.Image:
    try:
        return PIL.ImageOps.exif_transpose(image)
    except Exception:  # an unreadable EXIF block gives no orientation
        return image


def _to_rgb(image: PIL.Image.Image, conversion: icc.ToSrgb | None) -> Image:
    """Convert band by band, so that memory never holds several copies of a large image."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = _band_to_srgb(image.crop((0, top, image.width, bottom)), conversion)
    return pixels


def _band_to_srgb(band: PIL.Image.Image, conversion: icc.ToSrgb | None) -> Image:
    if conversion is None:
        return _band_to_rgb(band)
    if band.mode == conversion.mode:
        return conversion.apply(band)
    return conversion.apply(PIL.Image.fromarray(_band_to_rgb(band)).convert(conversion.mode))


def _band_to_rgb(band: PIL.Image.Image) -> Image:
    if band.mode in _SIXTEEN_BIT_MODES:
        return _read_array(np.asarray(band), band.width * band.height)
    if band.has_transparency_data:
        return _over_white(np.asarray(band.convert("RGBA")))
    return np.asarray(band.convert("RGB"))


def _read_array(array: NDArray[Any], max_pixels: int) -> Image:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise InvalidImage(
            f"Expected an array H×W, H×W×3 or H×W×4, got shape {array.shape}. "
            "Put the channels last."
        )
    _check_size(array.shape[1], array.shape[0], max_pixels)
    pixels = _to_eight_bit(array)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    if pixels.shape[2] == 4:
        return _over_white(pixels)
    return np.array(pixels, order="C")


def _to_eight_bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    raise InvalidImage(
        f"Expected values of uint8 (0 to 255) or uint16 (0 to 65535), got {array.dtype}. "
        "Scale and convert the array first."
    )


def _over_white(rgba: NDArray[np.uint8]) -> Image:
    """Composite H×W×4 uint8 over white; rounds to nearest."""
    colour = rgba[:, :, :3].astype(np.uint16)
    alpha = rgba[:, :, 3:].astype(np.uint16)
    blended = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return blended.astype(np.uint8, order="C")
