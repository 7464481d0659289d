"""Download: all files that can be made from a result, in one ZIP and one by one."""

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from urllib.parse import quote

import gradio as gr
from gradio_client.utils import strip_invalid_filename_characters

from demo.exports import FILE_NOTES, build_files, describe_file, encode_zip, listed_name
from demo.ui.components import Choices, read_viewer
from demo.ui.requests import NO_IMAGE, SEGMENT_QUEUE, ImageRequest, name_of, segment_request
from demo.ui.uploads import make_result_folder

Choice = tuple[str | None, str | None, str]
"""What files belong to: the photo's path or the example's name, the variant and the framing."""

_MAX_NAME_BYTES = 160
"""Most bytes of the image's name that the name of the ZIP takes over; file systems allow 255."""

_REASON = "There is no result to download yet. Choose an image first."

_ENABLE = """(result) => [
  { __type__: "update", interactive: Boolean(result) },
  { __type__: "update", visible: !result },
]"""

_START = """(list) => {
  const holder = document.createElement("div");
  holder.innerHTML = list;
  holder.querySelector("a")?.click();
}"""
"""Begins the download of the first file, the ZIP. The list holds no link where the files were made
for an older choice."""


def build_download(choices: Choices, result: gr.HTML) -> None:
    """Lay out and wire the files; another photo, variant or framing clears them.

    Args:
        choices: what the files are made from.
        result: the viewer; without a result in it there is nothing to download.
    """
    has_result = result.value is not None
    with gr.Accordion("Download", open=False, elem_id="files"):
        button = gr.Button("Download ZIP", variant="primary", interactive=has_result)
        reason = gr.Markdown(_REASON, visible=not has_result)
        files = gr.HTML(
            render_notes(),
            css_template=read_viewer("download.css"),
            apply_default_css=False,
            js_on_load=None,
        )
        gr.Markdown("The files hold the whole result, whatever the viewer hides or calls unsure.")
    made = gr.State()
    result.change(None, result, [button, reason], js=_ENABLE, api_visibility="private")
    button.click(
        on_files,
        [*choices],
        made,
        preprocess=False,
        show_progress_on=files,
        api_visibility="private",
        **SEGMENT_QUEUE,
    )
    made.change(
        on_files_made,
        [made, *choices],
        files,
        preprocess=False,
        queue=False,
        api_visibility="private",
    ).success(None, files, None, js=_START, api_visibility="private")
    gr.on(
        [choices.photo.submit, choices.variant.input, choices.framing.input],
        None,
        None,
        files,
        js=f"() => {json.dumps(render_notes())}",
        api_visibility="private",
    )


def on_files(photo: ImageRequest, variant: str | None, framing: str) -> tuple[Choice, list[str]]:
    """Make all files from the photo and the choices on the page.

    Returns:
        The choices, and the paths of one ZIP with all files and of each file.
    """
    if photo is None:
        raise gr.Error(NO_IMAGE, print_exception=False)
    image, segmentation = segment_request(photo, variant, framing)
    made_of = _choice_of(photo, segmentation.variant.key, framing)
    files = build_files(image, segmentation, name_of(photo))
    folder = make_result_folder()
    archive = name_archive(name_of(photo))
    alone = {name: content for name, content in files.items() if "/" not in name}
    for name, content in {archive: encode_zip(files), **alone}.items():
        (folder / name).write_bytes(content)
    paths = [str(folder / name) for name in (archive, *alone)]
    return made_of, paths


def name_archive(file_name: str) -> str:
    """Name the ZIP after the image, as any file system takes it."""
    stem = listed_name(file_name).encode(errors="ignore")[:_MAX_NAME_BYTES].decode(errors="ignore")
    stem = stem.lstrip(".") or "image"  # a name that begins with a dot would be hidden
    name: str = strip_invalid_filename_characters(f"{stem}-segmentation.zip")
    return name


def on_files_made(
    made: tuple[Choice, list[str]] | None, photo: ImageRequest, variant: str | None, framing: str
) -> str:
    """Offer the files, unless the choices on the page have changed meanwhile.

    Returns:
        The list of files as HTML: with links, the ZIP first, or only with what each file will be.
    """
    if made is None:
        return render_notes()
    made_of, paths = made
    chosen = _choice_of(photo, variant or made_of[1], framing)
    return render_files(paths) if tuple(made_of) == chosen else render_notes()


def _choice_of(photo: ImageRequest, variant: str | None, framing: str) -> Choice:
    chosen = photo or {}
    return chosen.get("path") or chosen.get("example"), variant, framing


def render_notes() -> str:
    """List as HTML what the files will be."""
    return _render_list(_render_line(_escape(name), note, "") for name, note in FILE_NOTES.items())


def render_files(paths: list[str]) -> str:
    """List files as HTML, each with a link, what it is, and its size."""
    folders = _render_line("folders", FILE_NOTES["folders"], "")
    return _render_list([*(_render_file(Path(path)) for path in paths), folders])


def _render_file(path: Path) -> str:
    # The address is relative to the page's, which a proxy may have put under a sub-path.
    address = f"gradio_api/file={quote(str(path))}"
    name = _escape(path.name)
    note = "all files in one" if path.suffix == ".zip" else describe_file(path.name)
    link = f'<a href="{address}" download="{name}">{name}</a>'
    return _render_line(link, note, _format_size(path.stat().st_size))


def _render_line(name: str, note: str, size: str) -> str:
    size = f'<span class="size">{size}</span>' if size else ""
    note = _escape(note)
    return f'<li><span class="name">{name}</span> <span class="note">{note}</span> {size}</li>'


def _render_list(lines: Iterable[str]) -> str:
    return f'<div class="download"><ul>{"".join(lines)}</ul></div>'


def _escape(text: str) -> str:
    """Escape text for HTML that Gradio reads as a template: it would fill in {{...}} and ${...}."""
    return escape(text).replace("{", "&#123;").replace("$", "&#36;")


def _format_size(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
