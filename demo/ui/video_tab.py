"""The Video file tab: a video in, the same with its overlay out, and its areas over time."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from demo.classes import CLASS_NAMES
from demo.ui.components import build_status, render_error, render_status
from demo.ui.requests import choose_model, describe_failure
from demo.ui.uploads import make_result_folder, note_upload
from demo.variants import VARIANTS
from demo.video import (
    MAX_BYTES,
    MAX_FRAMES,
    MAX_SECONDS,
    FrameAreas,
    encode_video_csv,
    segment_video,
)
from demo.video_frames import Losses

_NO_VIDEO = "Choose a video to begin."
_TELL_EVERY_S = 0.5
_CHART_POINTS = 300


def build_video_tab() -> None:
    """Lay out and wire the tab."""
    with gr.Row():
        with gr.Column():
            video = gr.File(
                label=f"Video: mp4, webm or mov, at most {MAX_SECONDS:.0f} s, {MAX_FRAMES:,} "
                f"frames and {MAX_BYTES // 1_000_000} MB",
                file_types=[".mp4", ".webm", ".mov"],
                elem_id="video",
            )
            variant = gr.Radio(
                [(v.key.upper(), v.key) for v in VARIANTS.values()],
                value="xxs",
                label="MobileViT variant",
            )
            with gr.Row():
                begin = gr.Button("Segment the video", variant="primary")
                cancel = gr.Button("Cancel")
        with gr.Column():
            status = build_status(_NO_VIDEO, "video-status")
            result = gr.Video(label="Result, without sound", interactive=False)
            chart = gr.LinePlot(x="seconds", y="% of frame", color="class", label="Areas over time")
            table = gr.File(label="Areas of every frame, CSV", interactive=False)
    video.change(
        on_choose,
        video,
        [result, chart, table, status],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    segmented = begin.click(
        on_segment_video,
        [video, variant],
        [result, chart, table, status],
        show_progress_on=result,
        concurrency_limit=1,
        api_visibility="private",
    )
    cancel.click(
        lambda: render_status("Stopped: no video is being segmented."),
        None,
        status,
        cancels=segmented,
        queue=False,
        api_visibility="private",
    )


def on_choose(video: str | None) -> tuple[None, None, None, str]:
    """Clear the results of the video before, and note that the new one belongs to this visit."""
    if video is None:
        return None, None, None, render_status(_NO_VIDEO)
    note_upload(Path(video))
    return None, None, None, render_status("The video is here and can be segmented.")


def on_segment_video(
    video: str | None, variant: str, progress: gr.Progress = gr.Progress()
) -> Iterator[tuple[Any, Any, Any, str]]:
    """Segment a video; the visitor can cancel it at each step.

    Yields:
        At the end, the video with its overlay, areas over time for the chart, their table, and
        the status line. When something is wrong, the status line says what.
    """
    nothing = None, None, None
    if video is None:
        sentence = (
            "There is no video, or it is still on its way. Choose one, or wait until it is here."
        )
        yield *nothing, render_error(sentence)
        return
    folder = make_result_folder()
    target, table = folder / "overlay.mp4", folder / "areas.csv"
    frames: list[FrameAreas] = []
    losses = Losses()
    yield *nothing, render_status("Loading the network.")
    try:
        model = choose_model(variant)
        told_at = started = time.monotonic()
        for frame in segment_video(Path(video), target, model, losses):
            frames.append(frame)
            if time.monotonic() - told_at > _TELL_EVERY_S:
                told_at = time.monotonic()
                progress(frame.done, desc=f"{len(frames)} frames")
                yield *nothing, render_status(f"{frame.done:.0%} of the video is done.")
    except Exception as error:
        yield *nothing, render_error(describe_failure(error))
        return
    table.write_bytes(encode_video_csv(frames))
    rate = len(frames) / (time.monotonic() - started)
    took = f"{model.variant.label} took {rate:.1f} frames per second for {len(frames)} frames."
    status = " ".join([took, *losses.sentences()])
    yield str(target), _chart(frames), str(table), render_status(status, model.weights)


def _chart(frames: list[FrameAreas]) -> pd.DataFrame:
    """Build a table of time, class name and percentage, with a few hundred points a class."""
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
