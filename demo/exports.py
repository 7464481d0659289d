"""Files made from a result: PNG pictures and JSON."""

import io
from typing import Any

import cv2
import numpy as np
import PIL.Image

from demo.areas import class_areas
from demo.classes import NOT_SEEN, PALETTE
from demo.image import Image
from demo.overlay import draw_stripes
from demo.segmentation import Segmentation

_PNG_SPEED = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def encode_png(image: Image) -> bytes:
    """An H×W×3 uint8 RGB image as PNG, losslessly."""
    return _encode(".png", image, _PNG_SPEED)


def encode_jpeg(image: Image, quality: int = 90) -> bytes:
    """An H×W×3 uint8 RGB image as JPEG, for display only."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_class_map(segmentation: Segmentation) -> bytes:
    """The class map as a single-channel PNG whose values are class ids, with VOC's palette."""
    return _encode_palette_png(segmentation.class_map)


def encode_colours(class_map: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> bytes:
    """Class colours as a palette PNG whose background is transparent, to lay over the image.

    Args:
        class_map: H×W uint8 class ids; 255, not seen, becomes grey stripes.
    """
    striped = class_map.copy()
    striped[(class_map == NOT_SEEN) & ~draw_stripes(class_map.shape)] = 0
    return _encode_palette_png(striped, transparent_background=True)


def areas_record(segmentation: Segmentation) -> dict[str, Any]:
    """The areas and where they came from, ready for JSON."""
    return {
        "variant": segmentation.variant.key,
        "framing": segmentation.framing.name,
        "weights_source": segmentation.weights.kind,
        "revision": segmentation.weights.revision,
        "image_hw": list(segmentation.image_hw),
        "elapsed_ms": round(segmentation.elapsed_ms, 1),
        "areas": [
            {
                "class_id": area.class_id,
                "class_name": area.class_name,
                "pixels": area.pixels,
                "fraction": area.fraction,
            }
            for area in class_areas(segmentation)
        ],
    }


def _encode(suffix: str, image: Image, options: list[int]) -> bytes:
    encoded, buffer = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not encoded:
        raise ValueError(f"Expected an image that {suffix} can hold, got shape {image.shape}.")
    return buffer.tobytes()


def _encode_palette_png(
    class_map: np.ndarray[Any, np.dtype[np.uint8]], *, transparent_background: bool = False
) -> bytes:
    picture = PIL.Image.fromarray(class_map)
    palette = PALETTE.copy()
    options: dict[str, Any] = {}
    if transparent_background:
        palette[NOT_SEEN] = 128
        options["transparency"] = bytes([0]) + bytes([255]) * 255
    picture.putpalette(palette.tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1, **options)
    return file.getvalue()
