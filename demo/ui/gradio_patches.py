"""Changes to how Gradio reads a request: no downloads, and a sentence for every failure."""

import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import gradio as gr
from gradio.blocks import Block

from demo.errors import InvalidImage
from demo.settings import fetches_addresses
from demo.ui.requests import GONE, MISFIT, describe_failure, failures_shown_by_gradio
from demo.ui.uploads import lies_among_uploads, make_result_folder
from demo.web.fetch import fetch_image

logger = logging.getLogger(__name__)

_ADDRESS = re.compile(r"\w+://")

_PLAIN_MOVE = Block.async_move_resource_to_block_cache

_Async = Callable[..., Awaitable[Any]]


def patch_gradio(page: gr.Blocks) -> None:
    """Let no component download what a request names, and make every failure a sentence."""
    # Patch the class, because Gradio makes new components for a visit at any time.
    Block.async_move_resource_to_block_cache = _move_file
    page.preprocess_data = _in_a_sentence(page.preprocess_data, _describe_misfit)
    page.process_api = _in_a_sentence(page.process_api, describe_failure)


def let_generators_end_twice(page: gr.Blocks) -> None:
    """Let Gradio remove a generator that ended while it was cancelled; call this after the launch.

    Gradio (6.31) checks whether it is there before it waits for a lock, and not after, so that the
    request to cancel would fail.
    """
    page.app.iterators = _Generators(page.app.iterators)


class _Generators(dict[str, Any]):
    def __delitem__(self, event_id: str) -> None:
        self.pop(event_id, None)


def _in_a_sentence(step: _Async, describe: Callable[[Exception], str]) -> _Async:
    """Give the visitor a sentence; Gradio would write a traceback to the log only."""

    async def guarded(*arguments: Any, **options: Any) -> Any:
        try:
            return await step(*arguments, **options)
        except gr.Error:
            raise
        except Exception as error:
            raise gr.Error(describe(error), print_exception=False) from None

    return guarded


def _describe_misfit(error: Exception) -> str:
    # The error's text holds what the visitor sent, so it stays out of the log.
    logger.info("a request did not fit", extra={"kind": type(error).__name__})
    return MISFIT


async def _move_file(block: Block, source: Any) -> Any:
    """Do Gradio's own step for files only: Gradio would download addresses and take folders."""
    if isinstance(source, str) and _ADDRESS.match(source):
        source = await anyio.to_thread.run_sync(_fetch, source)
    if isinstance(source, str | Path) and not Path(source).is_file():
        # Do not reveal whether a path outside the uploads exists.
        is_gone = lies_among_uploads(Path(source)) and not Path(source).exists()
        raise gr.Error(GONE if is_gone else MISFIT, print_exception=False)
    return await _PLAIN_MOVE(block, source)


def _fetch(address: str) -> str:
    """Download an image into the cache, if that is switched on."""
    with failures_shown_by_gradio():
        if not fetches_addresses():
            raise InvalidImage("Images are not fetched from addresses here. Upload the file.")
        content = fetch_image(address)
    file = make_result_folder() / "fetched"
    file.write_bytes(content)
    return str(file)
