"""The Video tab: a video in, the same with its overlay out, and its areas over time."""

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import pandas as pd

from demo.background import (
    DEFAULT_KEPT,
    Background,
    find_kept,
    parse_background,
    replace_background,
)
from demo.classes import CLASS_NAMES, CLASSES, ClassSet, NamedClass
from demo.errors import InvalidOption
from demo.image import Image, read_image
from demo.models.model import Model
from demo.overlay import draw_overlay
from demo.segmentation import Segmentation
from demo.ui.components import build_status, render_error, render_status
from demo.ui.examples import EXAMPLES_FOLDER
from demo.ui.requests import choose_model, describe_failure
from demo.ui.run import Run
from demo.ui.uploads import make_result_folder, note_upload
from demo.ui.video_parts import (
    Progress,
    build_player,
    render_player,
    render_progress,
    render_waiting,
)
from demo.variants import offered_variants
from demo.video import (
    MAX_BYTES,
    MAX_FRAMES,
    MAX_SECONDS,
    Draw,
    FrameAreas,
    encode_video_csv,
    segment_video,
)
from demo.video_frames import Losses

SAMPLE = EXAMPLES_FOLDER / "astronaut.mp4"

_NO_VIDEO = "Choose a video to begin, or try the sample clip."
_LIMITS = (
    f'<p class="video-hint">mp4, webm or mov, at most {MAX_SECONDS / 60:.0f} minutes, '
    f"{MAX_FRAMES:,} frames and {MAX_BYTES // 1_000_000} MB.</p>"
)
_PROMISE = (
    '<p class="video-promise">The result will be shown here: the video with every class in its '
    "colour, and how much of the frame each one covers over time.</p>"
)
_SCROLL_TO_RESULT = """() => {
  const status = document.querySelector("#video-status");
  if (!document.querySelector("#video-result video")) return;
  if (status.getBoundingClientRect().top > 0.6 * window.innerHeight)
    status.scrollIntoView({ behavior: "smooth", block: "start" });
}"""
"""On a phone the result lies below the choices."""

_OVERLAY, _PICTURE = "overlay", "picture"
_SHOWN = {
    "Every class in its colour": _OVERLAY,
    "Another background: blurred": "blurred",
    "Another background: green": "#00b140",
    "Another background: white": "#ffffff",
    "Another background: a picture of yours": _PICTURE,
}
"""What the result can show, and the name of each background."""

_TELL_EVERY_S = 0.5
_CHART_POINTS = 300
_CHART_TOPS = (5, 10, 20, 40, 60, 80, 100)
"""Round percentages for the top of the chart."""

_X, _Y, _CLASS = "Time in seconds", "Share of the frame in %", "Class"


class Parts(NamedTuple):
    """The parts of the tab that change, or what becomes of each.

    Attributes:
        preview: the video that was chosen, or the limits of what can be chosen.
        sample: button that chooses the sample clip.
        begin: button that begins the work.
        cancel: button that stops it.
        status: what happened, in words.
        stage: where the progress is shown.
        results: all that follows.
        player: the video with its overlay.
        overlay: button that downloads it.
        table: button that downloads the areas.
        chart: the areas over time.
    """

    preview: Any
    sample: Any
    begin: Any
    cancel: Any
    status: Any
    stage: Any
    results: Any
    player: Any
    overlay: Any
    table: Any
    chart: Any


def build_video_tab() -> None:
    """Lay out and wire the tab."""
    with gr.Row(elem_id="video-tab"):
        with gr.Column():
            video = gr.File(label="Video", file_types=[".mp4", ".webm", ".mov"], elem_id="video")
            preview = build_player(_LIMITS, "video-preview")
            sample = gr.Button("Try the sample clip")
            variant = gr.Radio(
                [(v.short_label, v.key) for v in offered_variants().values()],
                value="xxs",
                label="MobileViT variant",
                info="The size of the network. Larger is more accurate, and slower.",
                elem_id="video-variant",
            )
            shown = gr.Dropdown(list(_SHOWN.items()), value=_OVERLAY, label="The result shows")
            kept = gr.Dropdown(
                list(CLASS_NAMES[1:]),
                value=list(DEFAULT_KEPT),
                multiselect=True,
                label="Keep",
                info="These stay before the background. Their edges are refined: an embellishment.",
                visible=False,
            )
            # A component for images would decode the file, and fail without a sentence.
            picture = gr.File(label="Picture", file_types=["image"], height=140, visible=False)
            begin = gr.Button("Segment the video", variant="primary", interactive=False)
            cancel = gr.Button("Cancel", visible=False)
        with gr.Column():
            status = build_status(_NO_VIDEO, "video-status")
            stage = gr.HTML(_PROMISE, elem_id="video-stage", apply_default_css=False)
            with gr.Column(visible=False) as results:
                player = build_player("", "video-result")
                with gr.Row():
                    overlay = gr.DownloadButton("Download the video")
                    table = gr.DownloadButton("Download the areas (CSV)")
                chart = _build_chart()
    parts = (preview, sample, begin, cancel, status, stage, results, player, overlay, table, chart)
    shown.change(
        lambda shown: (
            gr.update(visible=shown != _OVERLAY),
            gr.update(visible=shown == _PICTURE),
        ),
        shown,
        [kept, picture],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    _wire(video, [variant, shown, kept, picture], Parts(*parts))


def _build_chart() -> gr.LinePlot:
    return gr.LinePlot(
        x=_X,
        y=_Y,
        color=_CLASS,
        color_map=_colour_map(CLASSES),
        y_lim=[0, None],
        x_axis_format="~g",
        label="Areas over time",
        elem_id="video-chart",
    )


def _colour_map(classes: Iterable[NamedClass]) -> dict[str, str]:
    return {each.name: f"#{bytes(each.colour).hex()}" for each in classes}


def _wire(video: gr.File, choices: list[Any], parts: Parts) -> None:
    quick: dict[str, Any] = {
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    run = gr.State()
    parts.sample.click(on_sample, None, video, **quick)
    segmented = parts.begin.click(on_begin, None, [run, *parts], **quick).success(
        on_segment_video,
        [run, video, *choices],
        [*parts],
        show_progress="hidden",
        concurrency_limit=1,
        trigger_mode="multiple",  # the run before may still be ending
        api_visibility="private",
    )
    segmented.success(None, None, None, js=_SCROLL_TO_RESULT, api_visibility="private")
    segmented.failure(on_stop, run, [*parts], **quick)  # the server refused the work
    parts.cancel.click(on_stop, run, [*parts], **quick)
    video.change(on_choose, [run, video], [*parts], **quick)


def _change(**changes: Any) -> Parts:
    """Change some parts, and leave the others as they are."""
    return Parts(**{name: changes.get(name, gr.skip()) for name in Parts._fields})


def _stop_with(status: str, **changes: Any) -> Parts:
    """Show the tab as it is while nothing runs and there is no result."""
    idle = {
        "status": status,
        "stage": _PROMISE,
        "begin": gr.update(visible=True),
        "cancel": gr.update(visible=False),
        "results": gr.update(visible=False),
        "player": "",
    }
    return _change(**idle | changes)


def on_sample() -> str:
    """Give this visit its own copy of the sample clip, as if it had been uploaded."""
    return str(shutil.copy(SAMPLE, make_result_folder()))


def on_choose(run: Run | None, video: str | None) -> Parts:
    """Stop the work on the video before, show the new one, and note whose it is."""
    if run is not None:
        run.stop()
    if video is None:
        return _stop_with(
            render_status(_NO_VIDEO),
            preview=_LIMITS,
            sample=gr.update(visible=True),
            begin=gr.update(visible=True, interactive=False),
        )
    note_upload(Path(video))
    return _stop_with(
        render_status("The video is here and can be segmented."),
        preview=render_player(Path(video), "The chosen video"),
        sample=gr.update(visible=False),
        begin=gr.update(visible=True, interactive=True),
    )


def on_begin() -> tuple[Any, ...]:
    """Show that the video waits for its turn: the server segments one at a time."""
    waiting = _stop_with(
        render_status("The video waits for its turn."),
        stage=render_waiting("Waiting"),
        begin=gr.update(visible=False),
        cancel=gr.update(visible=True),
    )
    return (Run(), *waiting)


def on_stop(run: Run | None) -> Parts:
    """Stop the work, or show that it was refused for a reason that Gradio shows."""
    if run is not None:
        run.stop()
    return _stop_with(render_status("Stopped: no video is being segmented."))


class Drawing(NamedTuple):
    """What the result is to show.

    Attributes:
        shown: one of `_SHOWN`.
        kept: names of the classes that stay before another background.
        picture: the file of the visitor's own background.
    """

    shown: str = _OVERLAY
    kept: Sequence[str] = ()
    picture: str | None = None


def _choose_drawing(drawing: Drawing, classes: ClassSet) -> Draw:
    """Choose how frames are drawn.

    Raises:
        InvalidOption: if no class is kept, a name is unknown, or the picture is missing.
        InvalidImage: if the picture cannot be read.
    """
    if drawing.shown == _OVERLAY:
        return draw_overlay
    ids = find_kept(drawing.kept, classes)
    if drawing.shown != _PICTURE:
        background = parse_background(drawing.shown)
    elif drawing.picture:
        note_upload(Path(drawing.picture))
        background = Background("picture", picture=read_image(Path(drawing.picture)))
    else:
        raise InvalidOption("There is no picture for the background. Choose one first.")

    def draw(image: Image, segmentation: Segmentation) -> Image:
        return replace_background(image, segmentation, ids, background)

    return draw


def on_segment_video(  # noqa: PLR0917 - Gradio gives the inputs in their order
    run: Run,
    video: str | None,
    variant: str,
    shown: str = _OVERLAY,
    kept: list[str] | None = None,
    picture: str | None = None,
) -> Iterator[Parts]:
    """Segment a video; the visitor can stop it at each frame.

    Args:
        run: this work, which can be stopped.
        video: the file.
        variant: key of the variant.
        shown: what the result shows: one of `_SHOWN`.
        kept: names of the classes that stay before another background.
        picture: the file of the visitor's own background.

    Yields:
        The progress, and at the end the result. When something is wrong, the status line says
        what. When it is stopped, nothing of it stays.
    """
    if video is None:
        yield _stop_with(render_error("There is no video. Choose one first."))
    elif run.is_stopped:
        yield _change()
    else:
        run.start()
        try:
            yield from _segment(run, video, variant, Drawing(shown, kept or [], picture))
            if run.is_stopped:
                yield _change(stage=_PROMISE)
        finally:
            run.end()


def _segment(run: Run, video: str, variant: str, drawing: Drawing) -> Iterator[Parts]:
    folder, stem = make_result_folder(), Path(video).stem
    target, table = folder / f"{stem}-overlay.mp4", folder / f"{stem}-areas.csv"
    frames: list[FrameAreas] = []
    losses = Losses()
    yield _change(
        status=render_status("The network is being loaded."), stage=render_waiting("Loading")
    )
    try:
        model = choose_model(variant)
        draw = _choose_drawing(drawing, model.classes)
        if run.is_stopped:
            return
        yield _change(status=render_status(f"{model.variant.label} segments the video."))
        started = time.monotonic()
        with closing(segment_video(Path(video), target, model, losses, draw)) as segmented:
            yield from _tell(run, segmented, frames, started)
        if run.is_stopped:
            return
    except Exception as error:
        yield _stop_with(render_error(describe_failure(error)))
        return
    table.write_bytes(encode_video_csv(frames, model.classes))
    summary = _summarise(model, frames, time.monotonic() - started, losses)
    yield _stop_with(
        render_status(summary, model.weights),
        stage="",
        results=gr.update(visible=True),
        player=render_player(target, "The video with its overlay", plays=True),
        overlay=str(target),
        table=str(table),
        chart=_chart(frames, model.classes),
    )


def _tell(
    run: Run, segmented: Iterator[FrameAreas], frames: list[FrameAreas], started: float
) -> Iterator[Parts]:
    """Collect the areas of all frames, and tell now and then how far the work has come."""
    told_at = started
    for frame in segmented:
        if run.is_stopped:
            return
        frames.append(frame)
        now = time.monotonic()
        if now - told_at > _TELL_EVERY_S:
            told_at = now
            elapsed_s = now - started
            progress = Progress(len(frames), frame.announced_frames, frame.done, elapsed_s)
            yield _change(stage=render_progress(progress))


def _summarise(model: Model, frames: list[FrameAreas], took_s: float, losses: Losses) -> str:
    rate = len(frames) / took_s
    count = f"{len(frames):,} frame{'s' if len(frames) != 1 else ''}"
    precision = model.fast.engine.precision
    done = f"{model.variant.label}: {count} at {rate:.1f} frames/s in {precision}."
    nothing = (
        [] if _seen(frames, model.classes) else ["Nothing was found: every frame is background."]
    )
    return " ".join([done, *nothing, *losses.sentences()])


def _seen(frames: list[FrameAreas], classes: ClassSet) -> list[int]:
    """List the ids of the classes that occur, without the background."""
    occurring = {class_id for frame in frames for class_id in frame.areas}
    return sorted(class_id for class_id in occurring if not classes.is_background(class_id))


def _chart(frames: list[FrameAreas], classes: ClassSet) -> Any:
    """Show time, percentage and class name, with a few hundred points a class; or no chart."""
    ids = _seen(frames, classes)
    shown = frames[:: max(1, len(frames) // _CHART_POINTS)]
    rows = [
        (frame.time_s, 100 * frame.areas.get(class_id, 0.0), classes.names[class_id])
        for frame in shown
        for class_id in ids
    ]
    largest = max((row[1] for row in rows), default=0.0)
    top = next(top for top in _CHART_TOPS if largest <= top + 1e-9)
    table = pd.DataFrame(rows, columns=[_X, _Y, _CLASS])
    colours = _colour_map(classes.classes)
    return gr.update(value=table, y_lim=[0, top], color_map=colours, visible=bool(ids))
