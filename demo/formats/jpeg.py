"""JPEG: refuses files that take too long, and reads files whose end marker is missing."""

import io
import re
import zlib

import PIL.Image

from demo.errors import InvalidImage

_MAX_SCANS = 100
"""Most scans of a JPEG. Each is a pass over all pixels; a progressive JPEG has about ten."""

_MAX_SEGMENTS = 10_000
_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")
"""Finds markers with a length, and the end marker: decoders skip no length after other markers."""

_START_OF_SCAN, _END_OF_IMAGE = b"\xda", b"\xd9"
_PROGRESSIVE = (b"\xc2", b"\xc6", b"\xca", b"\xce")
_END = b"\xff\xd9"
_FILLERS = (b"", b"\x55" * 64, b"\xaa" * 64)
"""Bytes to decode after the last scan: a complete scan gives the same pixels whatever follows."""

_BAND_ROWS = 256


def mend(jpeg: bytes) -> bytes:
    """Check a JPEG before it is decoded, and add a missing end marker.

    Few bytes can ask for thousands of passes over the image. Only scans before the end of the
    image count: phones append videos to photographs.

    Returns:
        The same bytes, with an end marker if only that was missing. If pixels are missing as well,
        the bytes stay as they are, and Pillow will refuse them.

    Raises:
        InvalidImage: if the file has too many scans or segments.
    """
    has_end, is_refined = _walk(jpeg)
    if has_end or not is_refined:
        return jpeg
    cut = jpeg[:-1] if jpeg.endswith(b"\xff") else jpeg
    checksums = {_checksum(cut + filler + _END) for filler in _FILLERS}
    return cut + _END if len(checksums) == 1 and None not in checksums else jpeg


def _walk(jpeg: bytes) -> tuple[bool, bool]:
    """Read the segments; say whether there is an end marker, and whether no scan is missing.

    A progressive JPEG sends the coefficients 0 to 63 of each component bit by bit: none is
    missing once the lowest bit of each has been sent.
    """
    scans = at = 0
    components: set[int] = set()
    is_progressive = False
    refined: set[tuple[int, int]] = set()
    for _ in range(_MAX_SEGMENTS):
        marker = _MARKER.search(jpeg, at)
        if marker is None or marker[1] == _END_OF_IMAGE:
            wanted = {(component, k) for component in components for k in range(64)}
            return marker is not None, bool(scans) and (not is_progressive or refined >= wanted)
        length = int.from_bytes(jpeg[marker.end() : marker.end() + 2])
        segment = jpeg[marker.end() + 2 : marker.end() + length]
        if b"\xc0" <= marker[1] <= b"\xcf" and marker[1] not in (b"\xc4", b"\xc8", b"\xcc"):
            components = set(segment[6::3])
            is_progressive = marker[1] in _PROGRESSIVE
        if marker[1] == _START_OF_SCAN:
            scans += 1
            refined |= _refined_by(segment)
        if scans > _MAX_SCANS:
            raise InvalidImage(f"The JPEG has more than {_MAX_SCANS} scans. Save it again.")
        at = marker.end() + length
    raise InvalidImage(f"The JPEG has more than {_MAX_SEGMENTS} segments. Save it again.")


def _refined_by(scan: bytes) -> set[tuple[int, int]]:
    """List (component, coefficient) whose lowest bit a scan sends, from the scan's header."""
    count = scan[0] if scan else 0
    if len(scan) < 2 * count + 4 or scan[2 * count + 3] & 0x0F:
        return set()
    first, last = scan[2 * count + 1], scan[2 * count + 2]
    return {
        (component, k) for component in scan[1 : 2 * count + 1 : 2] for k in range(first, last + 1)
    }


def _checksum(jpeg: bytes) -> int | None:
    """Decode a JPEG and sum its pixels up; None if it cannot be decoded."""
    try:
        with PIL.Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            image.load()
            checksum = 0
            for top in range(0, image.height, _BAND_ROWS):
                bottom = min(top + _BAND_ROWS, image.height)
                checksum = zlib.crc32(image.crop((0, top, image.width, bottom)).tobytes(), checksum)
            return checksum
    except Exception:  # Pillow raises errors of any type on damaged pixels
        return None
