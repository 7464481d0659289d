"""Files of the visit that is being served, in Gradio's own cache, which is emptied after a time."""

import tempfile
from pathlib import Path

import gradio.utils
from gradio.context import LocalContext

from demo.web.visits import visits


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
