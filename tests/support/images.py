"""Small images for the tests."""

import io
import struct
import zlib

import numpy as np
import PIL.Image

from demo.classes import PALETTE


def encode_frame(pixels: np.ndarray, **options: object) -> bytes:
    """Encode side×side×3 uint8 RGB as a JPEG that the live view accepts."""
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JPEG", quality=95, subsampling=0, **options)
    return file.getvalue()


def half_a_person(side: int = 256, column: int = 128) -> np.ndarray:
    """Paint a person from a column to the right edge; side×side×3 uint8 RGB."""
    truth = np.zeros((side, side), np.uint8)
    truth[:, column:] = 15
    return PALETTE[truth]


def png_of_size(width: int, height: int) -> bytes:
    """Make a PNG of a few hundred bytes whose header claims width × height pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 5000))
        + chunk(b"IEND", b"")
    )
