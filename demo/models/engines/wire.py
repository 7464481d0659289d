"""How pixel values and logits travel to another machine and back."""

import numpy as np
from numpy.typing import NDArray

from demo.errors import InvalidOption
from demo.framing import bgr_to_pixel_values

WEIGHTS, PRECISION, SHAPE = "X-Weights", "X-Precision", "X-Shape"
"""Headers: `Checkpoint.sha256`, ``f32`` or ``bf16``, and the shape of the array in the body."""

_MAX_SIDE = 8192


def encode_pixels(pixel_values: NDArray[np.float32]) -> tuple[str, bytes]:
    """Write pixel values as the bytes that they were made of, a quarter of their size.

    Args:
        pixel_values: (1, 3, h, w) float32 BGR, multiples of 1/255 in [0, 1].

    Returns:
        The shape, as ``h,w,3``, and h×w×3 uint8 BGR.
    """
    bgr = np.rint(pixel_values[0].transpose(1, 2, 0) * np.float32(255)).astype(np.uint8)
    return _write_shape(bgr.shape), bgr.tobytes()


def decode_pixels(shape: str, body: bytes) -> NDArray[np.float32]:
    """Read what `encode_pixels` wrote; the very same pixel values.

    Raises:
        InvalidOption: if shape and bytes do not belong together.
    """
    height, width, channels = _read_shape(shape, 3)
    if channels != 3 or max(height, width) > _MAX_SIDE or len(body) != height * width * 3:
        raise InvalidOption(f"Expected h×w×3 bytes with their {SHAPE}, not {shape[:40]!r}.")
    return bgr_to_pixel_values(np.frombuffer(body, np.uint8).reshape(height, width, 3))


def encode_logits(logits: NDArray[np.float32]) -> tuple[str, bytes]:
    """Write (1, C, h/16, w/16) float32 logits as their shape and little-endian bytes."""
    return _write_shape(logits.shape), np.ascontiguousarray(logits, "<f4").tobytes()


def decode_logits(shape: str, body: bytes) -> NDArray[np.float32]:
    """Read what `encode_logits` wrote.

    Raises:
        InvalidOption: if shape and bytes do not belong together.
    """
    expected = _read_shape(shape, 4)
    if len(body) != 4 * int(np.prod(expected)):
        raise InvalidOption(f"Expected {expected} float32 numbers, not {len(body)} bytes.")
    return np.frombuffer(body, "<f4").reshape(expected).astype(np.float32, copy=False)


def _write_shape(shape: tuple[int, ...]) -> str:
    return ",".join(map(str, shape))


def _read_shape(shape: str, axes: int) -> tuple[int, ...]:
    parts = shape.split(",")
    if len(parts) != axes or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InvalidOption(f"Expected {axes} positive numbers as {SHAPE}, not {shape[:40]!r}.")
    return tuple(map(int, parts))
