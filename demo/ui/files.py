"""Files of the visit that is being served, in Gradio's own cache, which is emptied after a time."""

import shutil
import tempfile
from pathlib import Path

import gradio as gr
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
    _keep(folder.resolve())
    return folder


def lies_among_uploads(file: Path) -> bool:
    """Whether a path leads into the folder of uploads, whether or not there is anything."""
    return upload_folder().resolve() in file.resolve().parents


def keep_upload(file: Path) -> None:
    """Note an upload as one of this visit; whatever else a request names is none."""
    if lies_among_uploads(file) and file.is_file():
        _keep(file.resolve())


def _keep(file: Path) -> None:
    request = LocalContext.request.get(None)
    if request is not None and request.session_hash:
        visits.keep(request.session_hash, file)


def list_examples(page: gr.Blocks) -> frozenset[Path]:
    """The files that a page itself has put among the uploads."""
    kept = (getattr(block, "keep_in_cache", ()) for block in page.blocks.values())
    return frozenset(Path(file).resolve() for files in kept for file in files)


def restore_examples(page: gr.Blocks, originals: Path) -> None:
    """Put back what somebody has cleared away, from a folder of files with the same names."""
    for file in list_examples(page):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(originals / file.name, file)
