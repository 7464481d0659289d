"""Keep some classes of an image, and blur or replace everything else.

Logits lie 16 pixels of the network's input apart, so that edges between classes are coarse. Refined
edges follow those of the image. That embellishes the result: it never changes class map or areas.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from demo.classes import NOT_SEEN, VOC, ClassSet
from demo.errors import InvalidOption, shorten
from demo.image import Image
from demo.segmentation import Segmentation

Alpha = NDArray[np.uint8]
"""H×W uint8: how opaque each pixel stays, from 0 (background) to 255 (kept)."""

DEFAULT_KEPT = ("person",)

_GRID = 256
"""Side of the square grid on which the filter's coefficients are computed."""

_RADIUS = 8
"""Of the filter's windows, in points of the grid."""

_EPSILON = 1e-4
"""Variance of the image, in (1/255)² × 255², below which a window counts as flat."""

_SHARPNESS = 4.0
"""Slope of alpha around a half; the filter alone leaves edges too soft."""

_STRIP = 64
"""How many rows are computed at a time, so that memory does not grow with the image."""

_BLURRED_SIDE = 192
"""Short side of the image that is blurred, in pixels."""

_BLUR = 0.03
"""Standard deviation of the blur, as a fraction of the short side."""


@dataclass(frozen=True, eq=False)
class Background:
    """What stands behind the kept classes.

    Attributes:
        kind: ``blurred``, ``colour`` or ``picture``; ``transparent`` leaves nothing.
        colour: RGB in [0, 255], for ``colour``.
        picture: H×W×3 uint8 RGB of any size, for ``picture``; it is cut to fill the image.
    """

    kind: Literal["blurred", "colour", "picture", "transparent"]
    colour: tuple[int, int, int] = (255, 255, 255)
    picture: Image | None = None


def parse_background(text: str) -> Background:
    """Read ``blurred``, ``transparent`` or a colour such as ``#00b140``.

    Raises:
        InvalidOption: if it is none of these.
    """
    if text in ("blurred", "transparent"):
        return Background("blurred" if text == "blurred" else "transparent")
    digits = str(text).removeprefix("#")
    if text != digits and len(digits) == 6:
        try:
            red, green, blue = bytes.fromhex(digits)
        except ValueError:
            pass
        else:
            return Background("colour", (red, green, blue))
    raise InvalidOption(
        f"Unknown background {shorten(text)}. Choose blurred, transparent, a colour such as "
        "#00b140, or a picture."
    )


def find_kept(names: Collection[str], classes: ClassSet = VOC) -> frozenset[int]:
    """Find the ids of the classes to keep.

    Raises:
        InvalidOption: if a name is unknown, or there is none.
    """
    for name in names:
        if not isinstance(name, str) or name not in classes.names:
            raise InvalidOption(
                f"Unknown class {shorten(name)}. Choose among {', '.join(classes.names)}."
            )
    if not names:
        raise InvalidOption("No class is kept. Choose at least one, such as person.")
    return frozenset(classes.names.index(name) for name in names)


def draw_alpha(
    image: Image, segmentation: Segmentation, kept: Collection[int], *, refine: bool = True
) -> Alpha:
    """Compute how opaque each pixel stays.

    Args:
        image: H×W×3 uint8 RGB, as it was segmented.
        segmentation: the result for it.
        kept: ids of the classes that stay; pixels that were not seen do not.
        refine: let edges follow those of the image; else alpha is 0 or 255.
    """
    chosen = np.zeros(NOT_SEEN + 1, np.uint8)
    chosen[list(kept)] = 255
    alpha: Alpha = chosen[segmentation.class_map]
    if not refine or alpha.min() == alpha.max():
        return alpha
    height, width = alpha.shape
    rows, columns = ((np.arange(_GRID) + 0.5) * length / _GRID for length in (height, width))
    on_grid = alpha[np.ix_(rows.astype(np.intp), columns.astype(np.intp))]
    size = (_GRID, _GRID)
    guide = np.asarray(PIL.Image.fromarray(image).resize(size, PIL.Image.Resampling.BILINEAR))
    coefficients = _fit_guided_filter(
        guide.astype(np.float32) * np.float32(1 / 255), (on_grid > 0).astype(np.float32)
    )
    return _apply_guided_filter(image, coefficients)


def _fit_guided_filter(
    guide: NDArray[np.float32], wanted: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Fit alpha = a·rgb + b in the window around each point of the grid, and average the fits.

    This is the guided filter of He, Sun and Tang (2013) with a colour guide, equations 14 to 16.

    Args:
        guide: (n, n, 3) RGB in [0, 1].
        wanted: (n, n) alpha in [0, 1].

    Returns:
        (n, n, 4) float32: a for red, green and blue, and b.
    """
    counts = _sum_windows(np.ones_like(wanted))

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        means: NDArray[np.float32] = _sum_windows(values) / counts
        return means

    channels = [np.ascontiguousarray(guide[..., k]) for k in range(3)]
    means = [mean(channel) for channel in channels]
    mean_wanted = mean(wanted)
    c0, c1, c2 = (mean(c * wanted) - m * mean_wanted for c, m in zip(channels, means, strict=True))
    v = {
        (i, j): mean(channels[i] * channels[j]) - means[i] * means[j] + (i == j) * _EPSILON
        for i in range(3)
        for j in range(i, 3)
    }
    # Cramer's rule for the symmetric 3×3 system v·a = c
    m00 = v[1, 1] * v[2, 2] - v[1, 2] ** 2
    m01 = v[0, 2] * v[1, 2] - v[0, 1] * v[2, 2]
    m02 = v[0, 1] * v[1, 2] - v[0, 2] * v[1, 1]
    m11 = v[0, 0] * v[2, 2] - v[0, 2] ** 2
    m12 = v[0, 1] * v[0, 2] - v[0, 0] * v[1, 2]
    m22 = v[0, 0] * v[1, 1] - v[0, 1] ** 2
    determinant = v[0, 0] * m00 + v[0, 1] * m01 + v[0, 2] * m02
    a = [
        (m00 * c0 + m01 * c1 + m02 * c2) / determinant,
        (m01 * c0 + m11 * c1 + m12 * c2) / determinant,
        (m02 * c0 + m12 * c1 + m22 * c2) / determinant,
    ]
    b = mean_wanted - sum(slope * m for slope, m in zip(a, means, strict=True))
    return np.dstack([mean(each) for each in (*a, b)])


def _sum_windows(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum the window around each point; what lies outside the grid adds nothing."""
    side = 2 * _RADIUS + 1
    sums = cv2.boxFilter(
        values, cv2.CV_32F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(sums, np.float32)


def _apply_guided_filter(image: Image, coefficients: NDArray[np.float32]) -> Alpha:
    """Interpolate the coefficients at each pixel, and compute alpha from its colour."""
    height, width = image.shape[:2]
    stretched = cv2.resize(coefficients, (width, _GRID), interpolation=cv2.INTER_LINEAR)
    positions = np.clip((np.arange(height) + 0.5) * _GRID / height - 0.5, 0, _GRID - 1)
    above = np.minimum(positions.astype(np.intp), _GRID - 2)
    fractions = (positions - above).astype(np.float32)[:, None, None]
    alpha = np.empty((height, width), np.uint8)
    for start in range(0, height, _STRIP):
        rows = slice(start, start + _STRIP)
        upper = stretched[above[rows]]
        at = upper + fractions[rows] * (stretched[above[rows] + 1] - upper)
        soft = np.einsum("yxc,yxc->yx", at[..., :3], image[rows] / np.float32(255)) + at[..., 3]
        sharp = (soft - 0.5) * _SHARPNESS + 0.5
        alpha[rows] = np.rint(np.clip(sharp, 0, 1) * 255)
    return alpha


def replace_background(
    image: Image,
    segmentation: Segmentation,
    kept: Collection[int],
    background: Background,
    *,
    refine: bool = True,
) -> Image:
    """Keep some classes of an image before a background; see `draw_alpha` and `draw_background`."""
    return draw_background(image, draw_alpha(image, segmentation, kept, refine=refine), background)


def draw_background(image: Image, alpha: Alpha, background: Background) -> Image:
    """Lay the kept part of an image over a background.

    Args:
        image: H×W×3 uint8 RGB; not modified.
        alpha: see `draw_alpha`.
        background: blurred, a colour or a picture.

    Returns:
        H×W×3 uint8 RGB; H×W×4 RGBA for a transparent background.
    """
    if background.kind == "transparent":
        return np.dstack([image, alpha])
    height, width = alpha.shape
    if background.kind == "blurred":
        behind = _blur_outside(image, alpha)
    elif background.picture is not None:
        behind = _fill(background.picture, (height, width))
    else:
        behind = np.broadcast_to(np.array(background.colour, np.uint8), image.shape)
    composed = np.empty_like(image)
    for start in range(0, height, _STRIP):
        rows = slice(start, start + _STRIP)
        weight = alpha[rows, :, None] / np.float32(255)
        under = behind[rows].astype(np.float32)
        composed[rows] = np.rint(under + weight * (image[rows] - under))
    return composed


def _blur_outside(image: Image, alpha: Alpha) -> Image:
    """Blur what is not kept; kept pixels add nothing, so that no halo surrounds them."""
    height, width = alpha.shape
    scale = min(1.0, _BLURRED_SIDE / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = 1 - cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    weight += 1e-3  # in the middle of what is kept, far from all else, the image itself is blurred
    sigma = max(_BLUR * min(size), 0.1)
    blurred = np.asarray(cv2.GaussianBlur(small * weight[..., None], (0, 0), sigma))
    weights = np.asarray(cv2.GaussianBlur(weight, (0, 0), sigma))
    rounded = np.rint(blurred / weights[..., None]).astype(np.uint8)
    return np.asarray(cv2.resize(rounded, (width, height), interpolation=cv2.INTER_LINEAR))


def _fill(picture: Image, image_hw: tuple[int, int]) -> Image:
    """Scale a picture until it covers a size, and cut off equally what is too much."""
    height, width = image_hw
    scale = max(height / picture.shape[0], width / picture.shape[1])
    rows, columns = (max(1, round(length / scale)) for length in image_hw)
    top, left = (picture.shape[0] - rows) // 2, (picture.shape[1] - columns) // 2
    part = picture[max(top, 0) :, max(left, 0) :][:rows, :columns]
    shrinks = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=shrinks))
