"""Between Gradio's values and the domain: what each event of the page and the API does."""

import base64
import contextlib
import logging
import tempfile
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import gradio.utils
import numpy as np

from demo.areas import class_areas
from demo.errors import DemoError, InvalidImage
from demo.exports import areas_record, encode_class_map, encode_colours, encode_jpeg, encode_png
from demo.framing import DEFAULT_FRAMING
from demo.image import Image, read_image
from demo.inference import segment
from demo.overlay import draw_overlay
from demo.registry import DEFAULT_VARIANT, default_registry
from demo.segmentation import Segmentation
from demo.ui.summary import render_error, render_status, render_summary
from demo.variants import VARIANTS
from demo.weights import OnProgress

logger = logging.getLogger(__name__)

_UNEXPECTED = "Something failed on the server; its log says what. Try again, or try another image."

DISPLAY_SIDE = 2048
"""Longest side of the pictures sent to the page, in pixels; results keep the full size."""

Payload = dict[str, Any] | None
"""What gr.Image sends when its own preprocessing is off: a path in Gradio's cache, or a URL."""


def on_load(progress: gr.Progress = gr.Progress()) -> None:
    """Wait for the largest variant that has weights; what comes of it is `on_ready`'s to say."""
    with contextlib.suppress(DemoError):
        default_registry().first_available(_report_to(progress))


def on_ready(photo: Payload, variant: str | None) -> tuple[Any, Any]:
    """Choose the variant that is loaded, unless the visitor has chosen or begun meanwhile.

    Returns:
        The choice of variant, and the status line.
    """
    if photo is not None or variant is not None:
        return gr.skip(), gr.skip()
    try:
        loaded = default_registry().first_available()
    except DemoError as error:
        return gr.skip(), render_error(str(error))
    larger = list(VARIANTS)[list(VARIANTS).index(loaded.variant.key) + 1 :]
    missing = " and ".join(VARIANTS[key].label for key in reversed(larger))
    absence = f" {missing} cannot be had at present." if missing else ""
    return loaded.variant.key, render_status(
        f"Ready: {loaded.variant.label}.{absence}", loaded.weights
    )


def on_segment(
    photo: Payload,
    variant: str | None,
    framing: str,
    progress: gr.Progress = gr.Progress(),
) -> tuple[Any, Any, str]:
    """Segment the photo on the page.

    Returns:
        What the viewer shows, the areas, and the status line. When something is wrong, the
        status line says what, and the rest stays as it was.
    """
    if photo is None:
        return None, "", render_status("Choose an image to begin.")
    report = _report_to(progress)
    try:
        image = _read_photo(photo)
        chosen = variant or default_registry().first_available(report).variant.key
        segmentation = segment(image, chosen, framing=framing, on_progress=report)
    except DemoError as error:
        return gr.skip(), gr.skip(), render_error(str(error))
    except Exception:
        logger.exception("segmenting an image failed")
        return gr.skip(), gr.skip(), render_error(_UNEXPECTED)
    status = f"{segmentation.variant.label} took {segmentation.elapsed_ms:.0f} ms."
    return (
        _viewer_value(image, segmentation),
        render_summary(segmentation),
        render_status(status, segmentation.weights),
    )


def on_api_segment(
    image: Payload, variant: str = DEFAULT_VARIANT, framing: str = DEFAULT_FRAMING
) -> tuple[str, str, dict[str, Any]]:
    """Segment one image.

    Returns:
        The overlay (PNG), the class map (single-channel PNG of class ids, VOC palette), and the
        areas with the variant, framing, weights and time that made them.
    """
    try:
        if image is None:
            raise InvalidImage("There is no image. Send one as the first argument.")
        pixels = _read_photo(image)
        segmentation = segment(pixels, variant, framing=framing)
    except DemoError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception:
        logger.exception("segmenting an image failed")
        raise gr.Error(_UNEXPECTED, print_exception=False) from None
    # in Gradio's own cache, which is emptied after a time
    folder = Path(tempfile.mkdtemp(prefix="segmentation-", dir=_cache_folder()))
    overlay, class_map = folder / "overlay.png", folder / "classes.png"
    overlay.write_bytes(encode_png(draw_overlay(pixels, segmentation)))
    class_map.write_bytes(encode_class_map(segmentation))
    return str(overlay), str(class_map), areas_record(segmentation)


def _cache_folder() -> Path:
    folder = Path(gradio.utils.get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _report_to(progress: gr.Progress) -> OnProgress:
    return lambda fraction, sentence: progress(fraction, desc=sentence)


def _read_photo(photo: dict[str, Any]) -> Image:
    """Decode what Gradio sent; the path was checked by Gradio to lie in its own cache."""
    url = photo.get("url") or ""
    return read_image(url if url.startswith("data:") else Path(photo.get("path") or ""))


def _viewer_value(image: Image, segmentation: Segmentation) -> dict[str, Any]:
    height, width = segmentation.image_hw
    found = [area.class_name for area in class_areas(segmentation) if area.class_id]
    return {
        "photo": _data_url("image/jpeg", encode_jpeg(_shrink(image, cv2.INTER_AREA))),
        "colours": _data_url(
            "image/png", encode_colours(_shrink(segmentation.class_map, cv2.INTER_NEAREST))
        ),
        "description": f"Your image with {', '.join(found) or 'nothing but background'} marked",
        "width": width,
        "height": height,
    }


def _shrink(
    picture: np.ndarray[Any, np.dtype[np.uint8]], interpolation: int
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    height, width = picture.shape[:2]
    scale = DISPLAY_SIDE / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(picture, size, interpolation=interpolation).astype(np.uint8, copy=False)


def _data_url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
