"""ICC profiles: converts the colours of an image to sRGB."""

import io
import itertools

import numpy as np
import PIL.Image
import PIL.ImageCms
from numpy.typing import NDArray

BROKEN = "The image's colour profile is broken and was ignored."

_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_SRGB = PIL.ImageCms.createProfile("sRGB")


class ToSrgb:
    """A conversion of colours to sRGB, relative colorimetric.

    Attributes:
        mode: Pillow's mode of the colours that it takes: RGB, L or CMYK.
    """

    def __init__(self, transform: PIL.ImageCms.ImageCmsTransform, mode: str) -> None:
        self.mode = mode
        self._transform = transform

    def apply(self, colours: PIL.Image.Image) -> NDArray[np.uint8]:
        """Convert an image of `mode` to H×W×3 uint8 sRGB."""
        converted = PIL.ImageCms.applyTransform(colours, self._transform)
        assert converted is not None  # only in-place transforms give nothing
        return np.asarray(converted)


def plan_conversion(profile: bytes, image_mode: str) -> ToSrgb | None:
    """Prepare the conversion from a profile; None if it changes no colour or cannot apply.

    Args:
        profile: the content of an ICC profile.
        image_mode: Pillow's mode of the image.

    Raises:
        ValueError: if the profile is broken.
    """
    try:
        source = PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _SPACES.get(source.profile.xcolor_space)
        if mode is None or (mode == "CMYK") != (image_mode == "CMYK"):
            return None
        transform = PIL.ImageCms.buildTransform(
            source, _SRGB, mode, "RGB", PIL.ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
    except (PIL.ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        raise ValueError("Expected an ICC profile.") from error
    conversion = ToSrgb(transform, mode)
    return conversion if _changes_colours(conversion) else None


def _changes_colours(conversion: ToSrgb) -> bool:
    """Whether some colour changes by more than 1: profiles of sRGB itself only round."""
    if conversion.mode == "CMYK":
        return True
    levels = np.linspace(0, 255, 18).astype(np.uint8)
    rgb = np.array(list(itertools.product(levels, repeat=3)), np.uint8)[None]
    if conversion.mode == "L":
        rgb = np.repeat(levels[None, :, None], 3, axis=2)
    before = PIL.Image.fromarray(rgb).convert(conversion.mode)
    difference = np.abs(conversion.apply(before).astype(np.int16) - rgb)
    return int(difference.max()) > 1
