"""The Batch tab: images, a folder or a ZIP in; a row for each, one ZIP and one table out."""

import time
from collections.abc import Iterator
from contextlib import closing
from html import escape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import gradio as gr

from demo.batch import (
    MAX_BYTES,
    MAX_IMAGES,
    SUFFIXES,
    TABLE,
    BatchRow,
    encode_table,
    gather_images,
    segment_batch,
)
from demo.classes import ClassSet
from demo.ui.components import build_status, render_error, render_status
from demo.ui.progress_bar import render_bar
from demo.ui.requests import MISFIT, choose_model, describe_failure, read_upload
from demo.ui.run import Run
from demo.ui.uploads import lies_among_uploads, make_result_folder, note_upload
from demo.variants import offered_variants

_HINT = (
    f'<p class="video-hint">Images, or ZIP files of them: at most {MAX_IMAGES} images and '
    f"{MAX_BYTES // 1_000_000} MB at a time.</p>"
)
_PROMISE = (
    '<p class="video-promise">Each image gets a row here, with its largest classes. One ZIP holds '
    "all results, and one table all areas.</p>"
)
_NOTHING = "Choose images to begin."

_OPEN = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-path]");
  if (button) trigger("submit", { path: button.dataset.path, orig_name: button.dataset.name });
});
"""
"""Opens the image of a row in the Image tab."""

_LIST_PX = 220
_TELL_EVERY_S = 0.5
_TOP_CLASSES = 3

Upload = dict[str, Any]
"""One file as Gradio hands it over: its path in the cache, and the visitor's name of it."""


class Parts(NamedTuple):
    """The parts of the tab that change, or what becomes of each.

    Attributes:
        begin: button that begins the work.
        cancel: button that stops it.
        status: what happened, in words.
        progress: how far the work has come.
        rows: one row for each image that is done.
        results: the buttons below.
        archive: button that downloads the ZIP.
        table: button that downloads the table.
    """

    begin: Any
    cancel: Any
    status: Any
    progress: Any
    rows: Any
    results: Any
    archive: Any
    table: Any


def build_batch_tab(tabs: gr.Tabs, photo: gr.HTML) -> None:
    """Lay out and wire the tab; the image of a row can become the picture of the Image tab."""
    with gr.Row(elem_id="batch-tab"):
        with gr.Column():
            endings = [*sorted(SUFFIXES), ".zip"]
            files = gr.File(
                label="Images",
                file_count="multiple",
                file_types=endings,
                height=_LIST_PX,
                elem_id="batch",
            )
            folder = gr.UploadButton("Choose a folder", file_count="directory")
            gr.HTML(_HINT, apply_default_css=False)
            variant = gr.Radio(
                [(v.short_label, v.key) for v in offered_variants().values()],
                value="xxs",
                label="MobileViT variant",
                elem_id="batch-variant",
            )
            begin = gr.Button("Segment all", variant="primary", interactive=False)
            cancel = gr.Button("Cancel", visible=False)
        with gr.Column():
            status = build_status(_NOTHING, "batch-status")
            progress = gr.HTML(_PROMISE, apply_default_css=False)
            with gr.Row(visible=False) as results:
                archive = gr.DownloadButton("Download everything (ZIP)")
                table = gr.DownloadButton("Download the areas (CSV)")
            rows = gr.HTML(
                "", elem_id="batch-rows", js_on_load=_OPEN, apply_default_css=False, container=False
            )
    parts = Parts(begin, cancel, status, progress, rows, results, archive, table)
    _wire(files, folder, variant, parts)
    rows.submit(on_open, None, [tabs, photo], api_visibility="private")


def _wire(files: gr.File, folder: gr.UploadButton, variant: gr.Radio, parts: Parts) -> None:
    quick: dict[str, Any] = {
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    run = gr.State()
    folder.upload(lambda chosen: chosen, folder, files, **quick)
    files.change(on_choose, [run, files], [*parts], preprocess=False, **quick)
    parts.begin.click(on_begin, None, [run, *parts], **quick).success(
        on_segment_all,
        [run, files, variant],
        [*parts],
        preprocess=False,
        show_progress="hidden",
        concurrency_limit=1,
        trigger_mode="multiple",
        api_visibility="private",
    ).failure(on_stop, run, [*parts], **quick)
    parts.cancel.click(on_stop, run, [*parts], **quick)


def _change(**changes: Any) -> Parts:
    """Change some parts, and leave the others as they are."""
    return Parts(**{name: changes.get(name, gr.skip()) for name in Parts._fields})


def _stop_with(status: str, **changes: Any) -> Parts:
    """Show the tab as it is while nothing runs."""
    idle = {
        "status": status,
        "progress": "",
        "begin": gr.update(visible=True),
        "cancel": gr.update(visible=False),
    }
    return _change(**idle | changes)


def on_choose(run: Run | None, files: list[Upload] | None) -> Parts:
    """Stop the work on the images before, and note whose the new ones are."""
    if run is not None:
        run.stop()
    for file in files or []:
        note_upload(Path(str(file.get("path", ""))))
    count = len(files or [])
    sentence = f"{count} file{'s' if count != 1 else ''} can be segmented." if count else _NOTHING
    return _stop_with(
        render_status(sentence),
        begin=gr.update(visible=True, interactive=count > 0),
        results=gr.update(visible=False),
        rows="",
        progress="" if count else _PROMISE,
    )


def on_begin() -> tuple[Any, ...]:
    """Show that the images wait for their turn."""
    waiting = _stop_with(
        render_status("The images wait for their turn."),
        progress=render_bar("Waiting", None, "Progress of the images"),
        begin=gr.update(visible=False),
        cancel=gr.update(visible=True),
        results=gr.update(visible=False),
        rows="",
    )
    return (Run(), *waiting)


def on_stop(run: Run | None) -> Parts:
    """Stop the work; the rows so far stay."""
    if run is not None:
        run.stop()
    return _stop_with(render_status("Stopped."))


def on_segment_all(run: Run, files: list[Upload] | None, variant: str) -> Iterator[Parts]:
    """Segment all images; the visitor can stop after each.

    Yields:
        The rows so far, and at the end the ZIP and the table.
    """
    if run.is_stopped:
        yield _change()
        return
    run.start()
    try:
        yield from _segment_all(run, files or [], variant)
    except Exception as error:
        yield _stop_with(render_error(describe_failure(error)))
    finally:
        run.end()


def _segment_all(run: Run, files: list[Upload], variant: str) -> Iterator[Parts]:
    folder = make_result_folder()
    images = gather_images([read_upload(file) for file in files], folder)
    model = choose_model(variant)
    yield _change(status=render_status(f"{model.variant.label} segments the images."))
    archive, table = folder / "segmentation.zip", folder / TABLE
    rows: list[BatchRow] = []
    drawn: list[str] = []
    told_at = started = time.monotonic()
    with closing(segment_batch(images, model, archive)) as segmented:
        for row in segmented:
            if run.is_stopped:
                return
            rows.append(row)
            drawn.append(_render_row(row, model.classes, folder / f"row-{len(rows)}.jpg"))
            now = time.monotonic()
            if now - told_at > _TELL_EVERY_S:
                told_at = now
                words = f"{len(rows)} of {len(images)} images"
                bar = render_bar(words, len(rows) / len(images), "Progress of the images")
                yield _change(progress=bar, rows=_render_rows(drawn))
    table.write_bytes(encode_table(rows))
    failed = sum(bool(row.error) for row in rows)
    took_s = time.monotonic() - started
    summary = f"{model.variant.label}: {len(rows) - failed} images in {took_s:.1f} s."
    if failed:
        summary += f" {failed} could not be segmented; the rows say why."
    yield _stop_with(
        render_status(summary, model.weights),
        rows=_render_rows(drawn),
        results=gr.update(visible=True),
        archive=str(archive),
        table=str(table),
    )


def _render_rows(drawn: list[str]) -> str:
    return f'<ul class="batch-rows">{"".join(drawn)}</ul>'


def _render_row(row: BatchRow, classes: ClassSet, thumbnail: Path) -> str:
    """Draw a row; its thumbnail is written to a file that the page fetches."""
    name = escape(row.image.name)
    if row.error:
        return f'<li class="failed"><span class="name">{name}</span> {escape(row.error)}</li>'
    thumbnail.write_bytes(row.thumbnail)
    found = [area for area in row.areas if not classes.is_background(area.class_id)]
    shown = [
        f'<span><i style="background: rgb{classes.classes[area.class_id].colour}"></i>'
        f"{escape(area.class_name)} {area.fraction:.0%}</span>"
        for area in found[:_TOP_CLASSES]
    ]
    return (
        f'<li><button type="button" data-path="{escape(str(row.image.path))}" data-name="{name}" '
        f'title="Open in the Image tab"><img src="gradio_api/file={quote(str(thumbnail))}" '
        f'alt="" loading="lazy"></button><span class="name">{name}</span>'
        f"{''.join(shown) or 'Nothing was found.'}</li>"
    )


def on_open(event: gr.EventData) -> tuple[Any, dict[str, Any]]:
    """Make the image of a row the picture of the Image tab, which then segments it.

    Returns:
        The tab to show, and the choice.
    """
    path = Path(str(event._data.get("path", ""))).resolve()
    if not lies_among_uploads(path):
        raise gr.Error(MISFIT, print_exception=False)
    name = Path(str(event._data.get("orig_name", path.name))).name
    return gr.Tabs(selected="image"), {"path": str(path), "orig_name": name, "is_new": True}
