"""Uploads and results of the visit that is being served, in Gradio's own cache."""

import tempfile
from pathlib import Path

import gradio.utils
from gradio.context import LocalContext

from demo.web.retention import visits


def upload_folder() -> Path:
    """Give the folder in which Gradio stores uploads and results."""
    return Path(gradio.utils.get_upload_folder())


def make_result_folder() -> Path:
    """Make a new folder for results of this visit."""
    upload_folder().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="segmentation-", dir=upload_folder()))
    _note(folder.resolve())
    return folder


def lies_among_uploads(file: Path) -> bool:
    """Whether a path leads into the folder of uploads; nothing need exist there."""
    return upload_folder().resolve() in file.resolve().parents


def note_upload(file: Path) -> None:
    """Note that an upload belongs to this visit; a path outside the uploads is ignored."""
    if lies_among_uploads(file) and file.is_file():
        _note(file.resolve())


def _note(file: Path) -> None:
    request = LocalContext.request.get(None)
    if request is not None and request.session_hash:
        visits.note(request.session_hash, file)
