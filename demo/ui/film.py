"""The tab for video files: layout, wiring and what its button does."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from demo.classes import CLASS_NAMES
from demo.errors import DemoError
from demo.registry import default_registry, keep
from demo.ui.files import keep_upload, result_folder
from demo.ui.guard import UNEXPECTED
from demo.ui.status import build_status, render_error, render_status
from demo.variants import VARIANTS
from demo.video import (
    MAX_BYTES,
    MAX_FRAMES,
    MAX_SECONDS,
    FilmFrame,
    encode_film_csv,
    segment_video,
)

logger = logging.getLogger(__name__)

_NO_FILM = "Choose a film to begin."
_TELL_EVERY_S = 0.5
_CHART_POINTS = 300


def build_film_tab() -> None:
    """A film in, the same with its overlay out, and its areas over time."""
    with gr.Row():
        with gr.Column():
            film = gr.File(
                label=f"Film: mp4, webm or mov, at most {MAX_SECONDS:.0f} s, {MAX_FRAMES:,} frames "
                f"and {MAX_BYTES // 1_000_000} MB",
                file_types=[".mp4", ".webm", ".mov"],
                elem_id="film",
            )
            variant = gr.Radio(
                [(v.key.upper(), v.key) for v in VARIANTS.values()],
                value="xxs",
                label="MobileViT variant",
            )
            with gr.Row():
                begin = gr.Button("Segment the film", variant="primary")
                cancel = gr.Button("Cancel")
        with gr.Column():
            status = build_status(_NO_FILM, "film-status")
            result = gr.Video(label="Result, without sound", interactive=False)
            chart = gr.LinePlot(x="seconds", y="% of frame", color="class", label="Areas over time")
            table = gr.File(label="Areas of every frame, CSV", interactive=False)
    film.change(
        on_film,
        film,
        [result, chart, table, status],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    segmented = begin.click(
        on_video,
        [film, variant],
        [result, chart, table, status],
        show_progress_on=result,
        concurrency_limit=1,
        api_visibility="private",
    )
    cancel.click(
        lambda: render_status("Stopped: no film is being segmented."),
        None,
        status,
        cancels=segmented,
        queue=False,
        api_visibility="private",
    )


def on_film(film: str | None) -> tuple[None, None, None, str]:
    """Take all of the film before away, and note the new one as this visit's."""
    if film is None:
        return None, None, None, render_status(_NO_FILM)
    keep_upload(Path(film))
    return None, None, None, render_status("The film is here and can be segmented.")


def on_video(
    film: str | None, variant: str, progress: gr.Progress = gr.Progress()
) -> Iterator[tuple[Any, Any, Any, str]]:
    """Segment a film; the steps between serve to be cancelled at.

    Yields:
        At the end, the film with its overlay, areas over time for the chart, their table, and
        the status line. When something is wrong, the status line says what.
    """
    nothing = None, None, None
    if film is None:
        sentence = (
            "There is no film, or it is still on its way. Choose one, or wait until it is here."
        )
        yield *nothing, render_error(sentence)
        return
    folder = result_folder()
    target, table = folder / "overlay.mp4", folder / "areas.csv"
    frames: list[FilmFrame] = []
    yield *nothing, render_status("Loading the network.")
    try:
        loaded = default_registry().get(variant)
        told_at = started = time.monotonic()
        for frame in segment_video(Path(film), target, variant, registry=keep(loaded)):
            frames.append(frame)
            if time.monotonic() - told_at > _TELL_EVERY_S:
                told_at = time.monotonic()
                progress(frame.done, desc=f"{len(frames)} frames")
                yield *nothing, render_status(f"{frame.done:.0%} of the film is done.")
    except DemoError as error:
        yield *nothing, render_error(str(error))
        return
    except Exception:
        logger.exception("segmenting a film failed")
        yield *nothing, render_error(UNEXPECTED)
        return
    table.write_bytes(encode_film_csv(frames))
    rate = len(frames) / (time.monotonic() - started)
    label = VARIANTS[variant].label
    status = f"{label} took {rate:.1f} frames per second for {len(frames)} frames."
    yield str(target), _chart(frames), str(table), render_status(status, loaded.weights)


def _chart(frames: list[FilmFrame]) -> pd.DataFrame:
    """Time, class name and share of the frame, for at most some hundred points a class."""
    ids = sorted({class_id for frame in frames for class_id in frame.areas if class_id})
    shown = frames[:: max(1, len(frames) // _CHART_POINTS)]
    return pd.DataFrame(
        [
            (frame.time_s, CLASS_NAMES[class_id], 100 * frame.areas.get(class_id, 0.0))
            for frame in shown
            for class_id in ids
        ],
        columns=["seconds", "class", "% of frame"],
    )
