"""What comes in: an event's request becomes an image and a model, and each failure a sentence."""

import contextlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from demo.batch import NamedImage
from demo.errors import DemoError, InvalidImage, InvalidOption
from demo.image import Image, read_image_with_notes
from demo.inference import segment
from demo.models.checkpoint import OnProgress
from demo.models.engines.contract import on_wait
from demo.models.model import Model
from demo.models.registry import default_registry
from demo.segmentation import Segmentation
from demo.settings import runs_elsewhere
from demo.ui.examples import find_example
from demo.ui.uploads import lies_among_uploads, note_upload

logger = logging.getLogger(__name__)

ImageRequest = dict[str, Any] | None
"""What the page or the API chose: an example's name, an upload's path and name, or a data: URL."""

SEGMENT = "segment"
"""Name of the queue in which images wait; videos have another."""

SEGMENT_QUEUE: dict[str, Any] = {
    "concurrency_limit": 32 if runs_elsewhere() else 2,
    "concurrency_id": SEGMENT,
}
"""Options of every event that waits in it: how many run at once, and its name."""

BEST = "best"
"""In place of a variant: the best that is available, with which the page begins as well."""

UNEXPECTED = "Something failed on the server; its log says what. Try again, or try another image."
MISFIT = (
    "The request does not fit. Expected an image that was uploaded before, a variant and a "
    "framing, as /gradio_api/info lists them."
)
GONE = "The file is no longer on the server. Choose it again."
NO_IMAGE = "There is no image. Choose one first."


def describe_failure(error: Exception) -> str:
    """Give the sentence for a failure; a failure that nobody foresaw goes to the log as well."""
    if isinstance(error, DemoError):
        return str(error)
    logger.error("a request failed", exc_info=error)
    return UNEXPECTED


@contextlib.contextmanager
def failures_shown_by_gradio() -> Iterator[None]:
    """Turn every failure into an error that Gradio shows to the visitor, in one sentence."""
    try:
        yield
    except gr.Error:
        raise
    except Exception as error:
        raise gr.Error(describe_failure(error), print_exception=False) from None


def choose_model(variant: str | None, on_progress: OnProgress | None = None) -> Model:
    """Give the model of a variant; without a choice or for `BEST`, the best that is available.

    Raises:
        InvalidOption: if there is no such variant.
        WeightsUnavailable: if there are no weights.
    """
    registry = default_registry()
    if variant and variant != BEST:
        return registry.get(variant, on_progress)
    return registry.first_available(on_progress)


def report_to(progress: gr.Progress) -> OnProgress:
    """Show the progress of a load in Gradio's progress bar."""
    return lambda fraction, sentence: progress(fraction, desc=sentence)


@contextlib.contextmanager
def waits_shown_in(progress: gr.Progress) -> Iterator[None]:
    """Say beside Gradio's progress what the block waits for, while it waits for other machines."""
    token = on_wait.set(lambda sentence: progress(0.0, desc=sentence))
    try:
        yield
    finally:
        on_wait.reset(token)


def read_photo(request: dict[str, Any]) -> tuple[Image, tuple[str, ...]]:
    """Decode the picture that a request names.

    Returns:
        The image, and what was ignored in it, one sentence for each thing.

    Raises:
        InvalidImage: if it is no image, or lies outside the uploads.
    """
    if not isinstance(request, dict):
        raise InvalidImage(MISFIT)
    if "example" in request:
        return read_image_with_notes(find_example(request["example"]))
    url = request.get("url")
    if isinstance(url, str) and url.startswith("data:"):
        return read_image_with_notes(url)
    path = request.get("path")
    if not isinstance(path, str) or not lies_among_uploads(Path(path)):
        raise InvalidImage(_say_what_is_wrong(path))
    if not Path(path).exists():
        raise InvalidImage(GONE)
    note_upload(Path(path))
    return read_image_with_notes(Path(path))


def _say_what_is_wrong(path: object) -> str:
    """Say why a path is no upload; one with Gradio's hash in it lies on another copy of the app."""
    is_of_another = isinstance(path, str) and re.search(r"/[0-9a-f]{64}/[^/]+$", path)
    return GONE if is_of_another else MISFIT


def read_upload(file: dict[str, Any]) -> NamedImage:
    """Find one of many uploaded files.

    Raises:
        InvalidOption: if it lies outside the uploads, or is no longer there.
    """
    path = Path(str(file.get("path", ""))) if isinstance(file, dict) else Path()
    if not lies_among_uploads(path):
        raise InvalidOption(_say_what_is_wrong(str(path)))
    if not path.is_file():
        raise InvalidOption(GONE)
    return NamedImage(str(file.get("orig_name") or path.name), path)


def segment_request(
    request: ImageRequest, variant: str | None, framing: str
) -> tuple[Image, Segmentation]:
    """Read and segment the image of a request.

    Raises:
        gr.Error: with one sentence, whatever fails.
    """
    with failures_shown_by_gradio():
        if request is None:
            raise InvalidImage("There is no image. Send one as the first argument.")
        image, notes = read_photo(request)
        segmentation = segment(image, choose_model(variant), framing=framing, notes=notes)
        log_result(segmentation)
        return image, segmentation


def name_of(request: dict[str, Any]) -> str:
    """Give the visitor's name of the image's file."""
    path = request.get("path") or f"{request.get('example', 'image')}.jpg"
    return str(request.get("orig_name") or Path(path).name)


def log_result(segmentation: Segmentation) -> None:
    """Write one line to the log; it names no visitor and no file."""
    logger.info(
        "segmented",
        extra={
            "variant": segmentation.variant.key,
            "framing": segmentation.framing.name,
            "elapsed_ms": round(segmentation.elapsed_ms),
        },
    )
