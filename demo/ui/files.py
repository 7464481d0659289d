"""Files of the visit that is being served, in Gradio's own cache, which is emptied after a time."""

import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import gradio as gr
import gradio.utils
from gradio.context import LocalContext

from demo.errors import DemoError, InvalidImage
from demo.settings import fetches_addresses
from demo.web.fetch import fetch_image
from demo.web.visits import visits

_ADDRESS = re.compile(r"\w+://")

_Move = Callable[[Any], Awaitable[str | None]]


def upload_folder() -> Path:
    """Where Gradio keeps what visitors send and are sent."""
    return Path(gradio.utils.get_upload_folder())


def result_folder() -> Path:
    """A new folder of this visit."""
    upload_folder().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="segmentation-", dir=upload_folder()))
    keep_for_visit(folder)
    return folder


def keep_for_visit(file: Path) -> None:
    """Note a file as one of this visit."""
    request = LocalContext.request.get(None)
    visits.keep(request.session_hash if request else None, file)


def guard_addresses(page: gr.Blocks) -> None:
    """Let no component of a page download what a request names; see `demo.web.fetch`."""
    for block in page.blocks.values():
        if hasattr(block, "async_move_resource_to_block_cache"):
            block.async_move_resource_to_block_cache = _guarded(
                block.async_move_resource_to_block_cache
            )


def _guarded(move: _Move) -> _Move:
    async def move_guarded(source: Any) -> str | None:
        if isinstance(source, str) and _ADDRESS.match(source):
            source = await anyio.to_thread.run_sync(_fetch, source)
        return await move(source)

    return move_guarded


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
