"""The Video tab's handlers: what they show, and whose files they make."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import av
import gradio as gr
import numpy as np
import PIL.Image
import pytest

from demo.classes import PALETTE
from demo.ui.run import Run
from demo.ui.uploads import lies_among_uploads
from demo.ui.video_tab import SAMPLE, Parts, on_choose, on_sample, on_segment_video, on_stop
from tests.support.videos import write_video


def test_the_sample_is_small_and_given_again_after_it_was_deleted() -> None:
    assert SAMPLE.stat().st_size < 300_000
    first = Path(on_sample())
    assert lies_among_uploads(first) and first.read_bytes() == SAMPLE.read_bytes()
    first.unlink()
    assert Path(on_sample()).is_file() and SAMPLE.is_file()


def test_a_result_has_its_chart_and_files_named_after_the_video(tmp_path: Path) -> None:
    *_, last = on_segment_video(Run(), str(write_video(tmp_path / "walk.mp4")), "xxs")
    assert "12 frames at" in last.status and "frames/s" in last.status
    assert last.stage == "" and last.results["visible"] and last.chart["visible"]
    assert set(last.chart["value"]["Class"]) == {"person"}
    assert [Path(last.overlay).name, Path(last.table).name] == [
        "walk-overlay.mp4",
        "walk-areas.csv",
    ]


def test_a_result_can_have_another_background(tmp_path: Path) -> None:
    video = str(write_video(tmp_path / "walk.mp4"))
    *_, last = on_segment_video(Run(), video, "xxs", "#00b140", ["person"])
    with av.open(last.overlay) as result:
        colours = next(result.decode(video=0)).to_ndarray(format="rgb24").reshape(-1, 3)
    is_green = (np.abs(colours.astype(int) - (0, 177, 64)) < 30).all(axis=1)
    assert 0.3 < is_green.mean() < 1
    *_, last = on_segment_video(Run(), video, "xxs", "#00b140", [])
    assert "No class is kept" in last.status


def test_a_picture_of_the_visitors_stands_behind(tmp_path: Path) -> None:
    video, picture = str(write_video(tmp_path / "walk.mp4")), tmp_path / "sea.png"
    PIL.Image.new("RGB", (30, 20), (0, 100, 200)).save(picture)
    *_, last = on_segment_video(Run(), video, "xxs", "picture", ["person"], str(picture))
    with av.open(last.overlay) as result:
        colours = next(result.decode(video=0)).to_ndarray(format="rgb24").reshape(-1, 3)
    is_sea = (np.abs(colours.astype(int) - (0, 100, 200)) < 30).all(axis=1)
    assert 0.3 < is_sea.mean() < 1
    *_, last = on_segment_video(Run(), video, "xxs", "picture", ["person"])
    assert "There is no picture" in last.status


def test_a_video_of_background_has_no_chart_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.videos.PALETTE", np.zeros_like(PALETTE))
    *_, last = on_segment_video(Run(), str(write_video(tmp_path / "empty.mp4")), "xxs")
    assert "Nothing was found" in last.status
    assert last.results["visible"] and not last.chart["visible"]


@pytest.mark.parametrize(
    "end", [on_stop, lambda run: on_choose(run, None)], ids=["stop", "another-video"]
)
def test_a_run_that_was_stopped_shows_nothing_more(
    tmp_path: Path, end: Callable[[Run], Parts]
) -> None:
    run, video = Run(), str(write_video(tmp_path / "long.mp4", 1000))
    work = on_segment_video(run, video, "xxs")
    shown = list(islice(work, 3))
    assert "of 1,000 frames" in shown[-1].stage
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(list, work)
        end(run)
        assert rest.result(timeout=1)[-1].stage.startswith('<p class="video-promise">')
    (nothing,) = on_segment_video(run, video, "xxs")
    assert all(part == gr.skip() for part in nothing)
