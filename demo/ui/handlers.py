"""Between Gradio's values and the domain: what each event of the page and the API does."""

import base64
import contextlib
import itertools
import logging
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import gradio.utils
import numpy as np

from demo.areas import class_areas, count_not_seen
from demo.class_map import winning_classes
from demo.classes import NOT_SEEN
from demo.errors import DemoError, InvalidImage
from demo.exports import (
    areas_record,
    build_files,
    encode_class_map,
    encode_jpeg,
    encode_png,
    encode_zip,
)
from demo.framing import DEFAULT_FRAMING
from demo.image import Image, read_image
from demo.inference import segment
from demo.overlay import draw_overlay
from demo.registry import DEFAULT_VARIANT, default_registry
from demo.segmentation import Segmentation
from demo.ui.status import render_error, render_status
from demo.variants import VARIANTS
from demo.weights import OnProgress

logger = logging.getLogger(__name__)

_UNEXPECTED = "Something failed on the server; its log says what. Try again, or try another image."

DISPLAY_SIDE = 2048
"""Longest side of the picture sent to the page, in pixels; results keep the full size."""

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
) -> tuple[Any, str]:
    """Segment the photo on the page.

    Returns:
        What the viewer shows, and the status line. When something is wrong, the status line says
        what, and the viewer stays as it was.
    """
    if photo is None:
        return None, render_status("Choose an image to begin.")
    report = _report_to(progress)
    try:
        image = _read_photo(photo)
        chosen = variant or default_registry().first_available(report).variant.key
        segmentation = segment(image, chosen, framing=framing, on_progress=report)
    except DemoError as error:
        return gr.skip(), render_error(str(error))
    except Exception:
        logger.exception("segmenting an image failed")
        return gr.skip(), render_error(_UNEXPECTED)
    status = f"{segmentation.variant.label} took {segmentation.elapsed_ms:.0f} ms."
    return viewer_value(image, segmentation), render_status(status, segmentation.weights)


Choice = tuple[str | None, str | None, str]
"""What the page shows: the photo's path, variant and framing."""


def choice_of(photo: Payload, variant: str | None, framing: str) -> Choice:
    """What files belong to."""
    return (photo or {}).get("path"), variant, framing


def on_files(photo: Payload, variant: str | None, framing: str) -> tuple[Choice, list[str]]:
    """Make everything that can be taken away, from the photo and the choices on the page.

    Returns:
        The choices, and paths of one ZIP with all files and of each file.
    """
    if photo is None:
        raise gr.Error("There is no image. Choose one first.", print_exception=False)
    image, segmentation = _segment_for_files(photo, variant, framing)
    files = build_files(image, segmentation, _name_of(photo))
    folder = _result_folder()
    alone = {name: content for name, content in files.items() if "/" not in name}
    for name, content in {"segmentation.zip": encode_zip(files), **alone}.items():
        (folder / name).write_bytes(content)
    paths = [str(folder / name) for name in ("segmentation.zip", *alone)]
    return choice_of(photo, variant, framing), paths


def on_files_made(
    made: tuple[Choice, list[str]] | None, photo: Payload, variant: str | None, framing: str
) -> list[str] | None:
    """Offer files unless the page shows something else meanwhile."""
    if made is None or tuple(made[0]) != choice_of(photo, variant, framing):
        return None
    return made[1]


def on_freeze(event: gr.EventData) -> tuple[Any, str]:
    """Make a frame of the live view the photo of the Image tab.

    Args:
        event: carries the frame's path in Gradio's cache, where the page has uploaded it.

    Returns:
        The tab to show, and the photo.
    """
    path = Path(str(event._data.get("path", ""))).resolve()
    if Path(gradio.utils.get_upload_folder()).resolve() not in path.parents:
        raise gr.Error("Expected a frame of the live view.", print_exception=False)
    return gr.Tabs(selected="image"), str(path)


def on_compare(photo: Payload, framing: str) -> Iterator[Any]:
    """Segment the photo with every variant, smallest first.

    Yields:
        What demo/ui/viewer/compare.js shows, after each variant.
    """
    if photo is None:
        raise gr.Error("There is no image. Choose one first.", print_exception=False)
    run = uuid.uuid4().hex
    done: list[Segmentation] = []
    results: list[dict[str, Any]] = []
    for number, variant in enumerate(VARIANTS.values()):
        try:
            image, segmentation = _segment_for_files(photo, variant.key, framing)
        except gr.Error as error:
            results.append({"key": variant.key, "label": variant.label, "error": error.message})
        else:
            done.append(segmentation)
            results.append(_compared(segmentation))
        waiting = [other.label for other in list(VARIANTS.values())[number + 1 :]]
        if done:
            yield {
                **viewer_value(image, done[0]),
                "run": run,
                "results": list(results),
                "pending": " and ".join(waiting),
                "agreement": _agreement(done),
            }
    if not done:
        raise gr.Error(str(results[0]["error"]), print_exception=False)


def _compared(segmentation: Segmentation) -> dict[str, Any]:
    variant = segmentation.variant
    height, width = segmentation.image_hw
    return {
        **_inspectable(segmentation),
        "key": variant.key,
        "label": variant.label,
        "parameters": round(variant.parameters / 1e6, 1),
        "miou": variant.published_miou,
        "elapsed_ms": segmentation.elapsed_ms,
        "weights": segmentation.weights.kind,
        "seen": height * width - count_not_seen(segmentation),
    }


def _agreement(done: list[Segmentation]) -> list[dict[str, Any]]:
    """The share of seen pixels to which variants give the same class, for each pair and all."""
    groups = list(itertools.combinations(done, 2))
    if len(done) > 2:
        groups.append(tuple(done))  # type: ignore[arg-type]
    seen = done[0].class_map != NOT_SEEN
    shares = []
    for group in groups:
        same = np.logical_and.reduce([group[0].class_map == each.class_map for each in group[1:]])
        names = " and ".join(each.variant.key.upper() for each in group)
        shares.append({"pair": names, "share": float(same[seen].mean())})
    return shares


def on_api_segment(
    image: Payload, variant: str = DEFAULT_VARIANT, framing: str = DEFAULT_FRAMING
) -> tuple[str, str, dict[str, Any]]:
    """Segment one image.

    Returns:
        The overlay (PNG), the class map (single-channel PNG of class ids, VOC palette), and the
        areas with the variant, framing, weights and time that made them.
    """
    pixels, segmentation = _segment_for_files(image, variant, framing)
    folder = _result_folder()
    overlay, class_map = folder / "overlay.png", folder / "classes.png"
    overlay.write_bytes(encode_png(draw_overlay(pixels, segmentation)))
    class_map.write_bytes(encode_class_map(segmentation))
    return str(overlay), str(class_map), areas_record(segmentation)


def _segment_for_files(
    photo: Payload, variant: str | None, framing: str
) -> tuple[Image, Segmentation]:
    """Segment, with every failure as an error that Gradio shows."""
    try:
        if photo is None:
            raise InvalidImage("There is no image. Send one as the first argument.")
        image = _read_photo(photo)
        chosen = variant or default_registry().first_available().variant.key
        return image, segment(image, chosen, framing=framing)
    except DemoError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception:
        logger.exception("segmenting an image failed")
        raise gr.Error(_UNEXPECTED, print_exception=False) from None


def _result_folder() -> Path:
    """A new folder in Gradio's own cache, which is emptied after a time."""
    cache = Path(gradio.utils.get_upload_folder())
    cache.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="segmentation-", dir=cache))


def _name_of(photo: dict[str, Any]) -> str:
    return str(photo.get("orig_name") or Path(photo.get("path") or "image").name)


def _report_to(progress: gr.Progress) -> OnProgress:
    return lambda fraction, sentence: progress(fraction, desc=sentence)


def _read_photo(photo: dict[str, Any]) -> Image:
    """Decode what Gradio sent; the path was checked by Gradio to lie in its own cache."""
    url = photo.get("url") or ""
    return read_image(url if url.startswith("data:") else Path(photo.get("path") or ""))


def viewer_value(image: Image, segmentation: Segmentation) -> dict[str, Any]:
    """What demo/ui/viewer/viewer.js shows: the image and what can be inspected."""
    height, width = segmentation.image_hw
    found = [area.class_name for area in class_areas(segmentation) if area.class_id]
    return {
        "photo": "data:image/jpeg;base64," + _base64(encode_jpeg(_shrink(image))),
        "description": f"Your image with {', '.join(found) or 'nothing but background'} marked",
        "width": width,
        "height": height,
        **_inspectable(segmentation),
    }


def _inspectable(segmentation: Segmentation) -> dict[str, Any]:
    """What demo/ui/viewer/field.js takes: the logits as half floats, and the exact areas."""
    logits = segmentation.logits.astype("<f2")  # (21, h, w)
    return {
        "logits": _base64(logits.tobytes()),
        "grid": logits.shape[1:],
        "box": segmentation.framing.box,
        "winners": winning_classes(logits.astype(np.float32)).tolist(),
        "areas": [[area.class_id, area.pixels] for area in class_areas(segmentation)],
        "not_seen": count_not_seen(segmentation),
    }


def _shrink(image: Image) -> Image:
    height, width = image.shape[:2]
    scale = DISPLAY_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
