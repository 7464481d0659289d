"""Between Gradio's values and the domain: what each event of the page and the API does."""

import contextlib
import logging
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from demo.errors import DemoError, InvalidImage
from demo.exports import (
    areas_record,
    build_files,
    encode_class_map,
    encode_png,
    encode_zip,
)
from demo.framing import DEFAULT_FRAMING
from demo.image import Image, read_image
from demo.inference import segment
from demo.overlay import draw_overlay
from demo.registry import DEFAULT_VARIANT, default_registry
from demo.segmentation import Segmentation
from demo.ui.files import keep_upload, lies_among_uploads, result_folder
from demo.ui.guard import UNEXPECTED
from demo.ui.payload import (
    ComparedValue,
    ComparisonValue,
    FailedValue,
    ViewerValue,
    agreement,
    compared_value,
    viewer_value,
)
from demo.ui.status import render_error, render_status
from demo.variants import VARIANTS
from demo.weights import OnProgress, is_bundled

logger = logging.getLogger(__name__)

Payload = dict[str, Any] | None
"""What gr.Image sends when its own preprocessing is off: a path in Gradio's cache, or a URL."""


def on_load(progress: gr.Progress = gr.Progress()) -> None:
    """Wait for the variant to begin with; what comes of it is `on_ready`'s to say."""
    with contextlib.suppress(DemoError):
        default_registry().first_available(_report_to(progress))


def on_ready(photo: Payload, variant: str | None) -> tuple[Any, Any]:
    """Choose the variant that is loaded, unless the visitor has chosen or begun meanwhile.

    Returns:
        The choice of variant, and the status line.
    """
    if photo is not None or variant is not None:
        return gr.skip(), gr.skip()
    registry = default_registry()
    try:
        loaded = registry.first_available()
    except DemoError as error:
        return gr.skip(), render_error(str(error))
    larger = list(VARIANTS)[list(VARIANTS).index(loaded.variant.key) + 1 :]
    missing = " and ".join(
        VARIANTS[key].label
        for key in reversed(larger)
        if registry.loaded(key) is None and not is_bundled(VARIANTS[key])
    )
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
        return gr.skip(), render_error(UNEXPECTED)
    _log_done(segmentation)
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
    made_of = choice_of(photo, segmentation.variant.key, framing)
    files = build_files(image, segmentation, _name_of(photo))
    folder = result_folder()
    alone = {name: content for name, content in files.items() if "/" not in name}
    for name, content in {"segmentation.zip": encode_zip(files), **alone}.items():
        (folder / name).write_bytes(content)
    paths = [str(folder / name) for name in ("segmentation.zip", *alone)]
    return made_of, paths


def on_files_made(
    made: tuple[Choice, list[str]] | None, photo: Payload, variant: str | None, framing: str
) -> list[str] | None:
    """Offer files unless the page shows something else meanwhile."""
    if made is None:
        return None
    made_of, paths = made
    shown = choice_of(photo, variant or made_of[1], framing)
    return paths if tuple(made_of) == shown else None


def on_freeze(event: gr.EventData) -> tuple[Any, str]:
    """Make a frame of the live view the photo of the Image tab.

    Args:
        event: carries the frame's path in Gradio's cache, where the page has uploaded it.

    Returns:
        The tab to show, and the photo.
    """
    path = Path(str(event._data.get("path", ""))).resolve()
    if not lies_among_uploads(path):
        raise gr.Error("Expected a frame of the live view.", print_exception=False)
    return gr.Tabs(selected="image"), str(path)


def on_compare(photo: Payload, framing: str) -> Iterator[ComparisonValue]:
    """Segment the photo with every variant, smallest first.

    Yields:
        What demo/ui/viewer/comparison.js shows, after each variant.
    """
    if photo is None:
        raise gr.Error("There is no image. Choose one first.", print_exception=False)
    run = uuid.uuid4().hex
    done: list[Segmentation] = []
    results: list[ComparedValue | FailedValue] = []
    failures: list[FailedValue] = []
    shown: ViewerValue | None = None
    with _told_by_gradio():
        image = _read_photo(photo)
    for number, variant in enumerate(VARIANTS.values()):
        try:
            with _told_by_gradio():
                segmentation = segment(image, variant.key, framing=framing)
        except gr.Error as error:
            failures.append(
                {"key": variant.key, "label": variant.label, "error": str(error.message)}
            )
            results.append(failures[-1])
        else:
            done.append(segmentation)
            shown = shown or viewer_value(image, segmentation)
            results.append(compared_value(segmentation))
        waiting = [other.label for other in list(VARIANTS.values())[number + 1 :]]
        if shown:
            yield {
                **shown,
                "run": run,
                "results": list(results),
                "pending": " and ".join(waiting),
                "agreement": agreement(done),
            }
    if not done:
        raise gr.Error(failures[0]["error"], print_exception=False)


def on_api_segment(
    image: Payload, variant: str = DEFAULT_VARIANT, framing: str = DEFAULT_FRAMING
) -> tuple[str, str, dict[str, Any]]:
    """Segment one image.

    Returns:
        The overlay (PNG), the class map (single-channel PNG of class ids, VOC palette), and the
        areas with the variant, framing, weights and time that made them.
    """
    pixels, segmentation = _segment_for_files(image, variant, framing)
    folder = result_folder()
    overlay, class_map = folder / "overlay.png", folder / "classes.png"
    overlay.write_bytes(encode_png(draw_overlay(pixels, segmentation)))
    class_map.write_bytes(encode_class_map(segmentation))
    return str(overlay), str(class_map), areas_record(segmentation)


def _segment_for_files(
    photo: Payload, variant: str | None, framing: str
) -> tuple[Image, Segmentation]:
    """Read and segment, with every failure as an error that Gradio shows."""
    with _told_by_gradio():
        if photo is None:
            raise InvalidImage("There is no image. Send one as the first argument.")
        image = _read_photo(photo)
        chosen = variant or default_registry().first_available().variant.key
        segmentation = segment(image, chosen, framing=framing)
        _log_done(segmentation)
        return image, segmentation


@contextlib.contextmanager
def _told_by_gradio() -> Iterator[None]:
    """Turn every failure into an error that Gradio shows, in one sentence."""
    try:
        yield
    except DemoError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception:
        logger.exception("segmenting an image failed")
        raise gr.Error(UNEXPECTED, print_exception=False) from None


def _name_of(photo: dict[str, Any]) -> str:
    return str(photo.get("orig_name") or Path(photo.get("path") or "image").name)


def _report_to(progress: gr.Progress) -> OnProgress:
    return lambda fraction, sentence: progress(fraction, desc=sentence)


def _read_photo(photo: dict[str, Any]) -> Image:
    """Decode what Gradio sent; the path was checked by Gradio to lie in its own cache."""
    url = photo.get("url") or ""
    if url.startswith("data:"):
        return read_image(url)
    path = Path(photo.get("path") or "")
    keep_upload(path)
    return read_image(path)


def _log_done(segmentation: Segmentation) -> None:
    logger.info(
        "segmented",
        extra={
            "variant": segmentation.variant.key,
            "framing": segmentation.framing.name,
            "elapsed_ms": round(segmentation.elapsed_ms),
        },
    )
