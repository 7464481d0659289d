"""Around Gradio's own reading of a request: no downloads, and a sentence for every failure."""

import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import gradio as gr
from gradio.blocks import Block

from demo.errors import DemoError, InvalidImage
from demo.settings import fetches_addresses
from demo.ui.files import lies_among_uploads, result_folder
from demo.web.fetch import fetch_image

logger = logging.getLogger(__name__)

UNEXPECTED = "Something failed on the server; its log says what. Try again, or try another image."
MISFIT = (
    "The request does not fit. Expected an image that was uploaded before, a variant and a "
    "framing, as /gradio_api/info lists them."
)
GONE = "The file is no longer on the server. Choose it again."

_ADDRESS = re.compile(r"\w+://")

_PLAIN_MOVE = Block.async_move_resource_to_block_cache

_Async = Callable[..., Awaitable[Any]]


def guard(page: gr.Blocks) -> None:
    """Let no component download what a request names, and let every failure be a sentence."""
    # on the class, because Gradio makes new components for a visit as it goes
    Block.async_move_resource_to_block_cache = _move_file
    page.preprocess_data = _in_a_sentence(page.preprocess_data, _note_misfit)
    page.process_api = _in_a_sentence(page.process_api, _note_failure)


def _in_a_sentence(step: _Async, note: Callable[[Exception], str]) -> _Async:
    """Gradio's own errors are tracebacks to the log and nothing to the visitor."""

    async def guarded(*arguments: Any, **options: Any) -> Any:
        try:
            return await step(*arguments, **options)
        except gr.Error:
            raise
        except Exception as error:
            raise gr.Error(note(error), print_exception=False) from None

    return guarded


def _note_misfit(error: Exception) -> str:
    """The error's text holds what the visitor sent, and stays out of the log."""
    logger.info("a request did not fit", extra={"kind": type(error).__name__})
    return MISFIT


def _note_failure(error: Exception) -> str:
    logger.error("a request failed", exc_info=error)
    return UNEXPECTED


async def _move_file(block: Block, source: Any) -> Any:
    """Gradio's own step, for files only: it would download addresses and take folders."""
    if isinstance(source, str) and _ADDRESS.match(source):
        source = await anyio.to_thread.run_sync(_fetch, source)
    if isinstance(source, str | Path) and not Path(source).is_file():
        # of a path outside the uploads, nobody learns whether it exists
        is_gone = lies_among_uploads(Path(source)) and not Path(source).exists()
        raise gr.Error(GONE if is_gone else MISFIT, print_exception=False)
    return await _PLAIN_MOVE(block, source)


def _fetch(address: str) -> str:
    """Download an image into the cache, if that is switched on."""
    try:
        if not fetches_addresses():
            raise InvalidImage("Images are not fetched from addresses here. Upload the file.")
        content = fetch_image(address)
    except DemoError as error:
        raise gr.Error(str(error), print_exception=False) from None
    file = result_folder() / "fetched"
    file.write_bytes(content)
    return str(file)
