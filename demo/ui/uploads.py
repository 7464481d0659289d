"""Uploads and results of the visit that is being served, in Gradio's own cache."""

import shutil
import tempfile
from pathlib import Path

import gradio as gr
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


def list_examples(page: gr.Blocks) -> frozenset[Path]:
    """List the files that the page itself has put among the uploads."""
    examples = (getattr(block, "keep_in_cache", ()) for block in page.blocks.values())
    return frozenset(Path(file).resolve() for files in examples for file in files)


def restore_examples(page: gr.Blocks, originals: Path) -> None:
    """Put back examples that somebody has deleted, from a folder of files with the same names."""
    for file in list_examples(page):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(originals / file.name, file)
