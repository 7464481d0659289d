"""How an image becomes the network's input, and where each logit lies in the original image.

Every framing is one rectangle of the original image, stretched to the network's input, so one
pair of linear maps, one per axis, describes it both ways. Coordinates are continuous: pixel
(row i, column j) covers [i, i+1) × [j, j+1) and its centre is (i + 0.5, j + 0.5).
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from demo.errors import InvalidOption, shorten
from demo.image import Image

FRAMINGS = {
    "whole": "the whole image, squashed to a square, as the published mIoU was measured",
    "aspect": "the whole image at its own aspect ratio, short side to the side",
    "crop": "transformers' own centre crop; what lies outside it is not seen",
    "auto": "whole, or aspect for an image wider or taller than 2:1",
}
DEFAULT_FRAMING = "whole"
_LONGEST_WHOLE = 2.0
"""Long side / short side from which on `auto` no longer squashes an image to a square."""

DEFAULT_SIDE = 512
MIN_SIDE, MAX_SIDE = 256, 1024
STRIDE = 32
"""Sides are multiples of this, the network's stride before its dilated stage."""

MAX_LONG_SIDE = 2048
"""Longest side of the input of `aspect`: attention grows with the square of its area, so a
very long image is squashed to this rather than exhaust memory."""

_STRIPS = 8
"""How many strips of an image are resized one by one, by two threads: Pillow copies what it is
given, and strips stay in the cache."""

_CROP_RESIZE = 544 / 512
"""Shortest edge before the crop / side of the crop, from the checkpoints' preprocessor config."""


@dataclass(frozen=True)
class Framing:
    """Where the network's input lies in the original image.

    Attributes:
        name: ``whole``, ``aspect`` or ``crop``.
        image_hw: size of the original image in pixels.
        network_hw: size of the network's input in pixels.
        box: (top, left, bottom, right) of the seen rectangle in original coordinates, within the
            image; a crop's edges may lie between pixels.
    """

    name: str
    image_hw: tuple[int, int]
    network_hw: tuple[int, int]
    box: tuple[float, float, float, float]

    @property
    def seen(self) -> tuple[slice, slice]:
        """The rows and columns of the original image whose pixel centres the network saw."""
        top, left, bottom, right = self.box
        height, width = self.image_hw
        return _seen_pixels(top, bottom, height), _seen_pixels(left, right, width)


def _seen_pixels(start: float, stop: float, size: int) -> slice:
    # Even a sliver holds one pixel, so that a 1-pixel image is seen however a crop is rounded.
    first = min(max(int(np.ceil(start - 0.5)), 0), size - 1)
    last = max(min(int(np.ceil(stop - 0.5)), size), first + 1)
    return slice(first, last)


def plan_framing(
    image_hw: tuple[int, int], name: str = DEFAULT_FRAMING, side: int = DEFAULT_SIDE
) -> Framing:
    """Decide how an image of a size is shown to the network.

    Args:
        image_hw: height and width of the original image, each at least 1.
        name: one of `FRAMINGS`.
        side: pixels of the square input, or of the short side for ``aspect``; a multiple of 32
            from 256 to 1024.

    Raises:
        InvalidOption: if the name or the side is not one of these.
    """
    _check_options(name, side)
    if name == "auto":
        name = "aspect" if max(image_hw) > _LONGEST_WHOLE * min(image_hw) else "whole"
    height, width = image_hw
    if name == "crop":
        return _plan_crop(image_hw, side)
    network_hw = (side, side) if name == "whole" else _aspect_hw(image_hw, side)
    return Framing(name, image_hw, network_hw, (0.0, 0.0, float(height), float(width)))


def _check_options(name: str, side: int) -> None:
    if not isinstance(name, str) or name not in FRAMINGS:
        raise InvalidOption(f"Unknown framing {shorten(name)}. Choose whole, aspect, crop or auto.")
    if isinstance(side, bool) or not isinstance(side, int) or side % STRIDE:
        raise InvalidOption(f"Side {side!r} is not a multiple of {STRIDE}. Choose 512, say.")
    if not MIN_SIDE <= side <= MAX_SIDE:
        raise InvalidOption(f"Side {side} is out of range. Choose {MIN_SIDE} to {MAX_SIDE}.")


def _aspect_hw(image_hw: tuple[int, int], side: int) -> tuple[int, int]:
    """Short side to ``side``, the other in proportion, both rounded to multiples of 32."""
    scale = side / min(image_hw)
    height, width = (
        min(STRIDE * round(length * scale / STRIDE), MAX_LONG_SIDE) for length in image_hw
    )
    return height, width


def _plan_crop(image_hw: tuple[int, int], side: int) -> Framing:
    """Compute the box that remains after transformers' resize and centre crop.

    Rounding follows ``get_resize_output_image_size`` and ``center_crop`` of
    transformers.image_transforms, which truncate the long side and the offsets.
    """
    edge = round(side * _CROP_RESIZE)
    height, width = image_hw
    short, long = min(height, width), max(height, width)
    resized_long = int(edge * long / short)
    resized_h, resized_w = (edge, resized_long) if height <= width else (resized_long, edge)
    top, left = (resized_h - side) // 2, (resized_w - side) // 2
    scale_y, scale_x = height / resized_h, width / resized_w
    box = (top * scale_y, left * scale_x, (top + side) * scale_y, (left + side) * scale_x)
    return Framing("crop", image_hw, (side, side), box)


def frame_pixels(image: Image, framing: Framing) -> NDArray[np.uint8]:
    """Resample the box of a framing, as transformers' image processor does.

    Pillow's bilinear filter averages where it shrinks. Resizing the box alone equals resizing
    everything and then cropping, since the filter still reads the pixels around the box.

    Args:
        image: H×W×3 uint8 of the framing's image size; channel order is kept.

    Returns:
        h×w×3 uint8 of the framing's network size.
    """
    height, width = framing.network_hw
    top, left, bottom, right = framing.box
    # Pillow rounds boxes to float32, so that a line between two strips of a crop would lie askew.
    strips = 1 if framing.name == "crop" or height % _STRIPS else _STRIPS
    margin = math.ceil(max((bottom - top) / height, 1)) + 1  # as far as the filter reads
    framed = np.empty((height, width, 3), np.uint8)

    def resize(strip: int) -> None:
        first, last = (top + (bottom - top) * i / strips for i in (strip, strip + 1))
        start, stop = max(math.floor(first) - margin, 0), math.ceil(last) + margin
        rows = PIL.Image.fromarray(image[start:stop])
        box = (left, first - start, right, last - start)
        place = slice(height * strip // strips, height * (strip + 1) // strips)
        size = (width, place.stop - place.start)
        framed[place] = np.asarray(rows.resize(size, PIL.Image.Resampling.BILINEAR, box))

    if strips == 1:
        resize(0)
    else:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(resize, range(strips)))
    return framed


def to_pixel_values(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn framed RGB pixels into what the checkpoints expect: BGR, scaled by 1/255.

    Args:
        pixels: h×w×3 uint8 RGB.

    Returns:
        (1, 3, h, w) float32 BGR in [0, 1]; the three values of a pixel lie together in memory.
    """
    return bgr_to_pixel_values(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8))


def bgr_to_pixel_values(bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Do the same as `to_pixel_values` for pixels that are BGR already, as cv2 decodes them."""
    return np.multiply(bgr, np.float32(1 / 255), dtype=np.float32).transpose(2, 0, 1)[None]
