"""The overlay: the class map in colour over its image."""

import cv2
import numpy as np

from demo.classes import NOT_SEEN
from demo.errors import InvalidImage, InvalidOption
from demo.image import Image
from demo.segmentation import Segmentation

DEFAULT_OPACITY = 0.6
_NOT_SEEN_STRIPE = 8
"""Width of the stripes over pixels that were not seen, in pixels."""


def draw_overlay(
    image: Image, segmentation: Segmentation, *, opacity: float = DEFAULT_OPACITY
) -> Image:
    """Blend class colours over an image; background keeps its pixels.

    Args:
        image: H×W×3 uint8 RGB in [0, 255]; not modified.
        segmentation: class map of the same (H, W).
        opacity: weight of the colour in [0, 1]; 0 returns the image unchanged.

    Returns:
        H×W×3 uint8 RGB, with grey stripes over pixels that were not seen.

    Raises:
        InvalidImage: if the sizes differ.
        InvalidOption: if the opacity is out of range.
    """
    if image.shape[:2] != segmentation.image_hw:
        raise InvalidImage(
            f"The image is {image.shape[:2]} and the result {segmentation.image_hw} (height, "
            "width). Segment this image first."
        )
    if not 0 <= opacity <= 1:
        raise InvalidOption(f"Opacity {opacity} is out of range. Choose 0 to 1.")
    colours = segmentation.classes.palette[segmentation.class_map]
    painted = np.ones(segmentation.image_hw, np.bool_)
    if segmentation.classes.has_background:
        painted = segmentation.class_map != 0
    if (segmentation.class_map == NOT_SEEN).any():
        colours[segmentation.class_map == NOT_SEEN] = 128
        painted &= (segmentation.class_map != NOT_SEEN) | draw_stripes(segmentation.image_hw)
    blended = cv2.addWeighted(colours, opacity, image, 1 - opacity, 0).astype(np.uint8, copy=False)
    return np.where(painted[:, :, None], blended, image)


def draw_stripes(image_hw: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Draw diagonal stripes, H×W bool: the pattern of pixels that were not seen."""
    rows, columns = np.ogrid[: image_hw[0], : image_hw[1]]
    striped: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = (
        rows + columns
    ) // _NOT_SEEN_STRIPE % 2 == 0
    return striped
