"""The words of the progress, and a player for any file name."""

from pathlib import Path

import pytest

from demo.ui.video_parts import Progress, render_player


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(46, 120, 0.37, 5.6), "38 %, 46 of 120 frames, about 9 s left"),
        (Progress(46, None, 0.5, 7.0), "50 %, 46 frames, about 7 s left"),
        (Progress(46, 40, 0.25, 3.0), "25 %, 46 frames, about 9 s left"),
        (Progress(100, 7_500, 0.01, 4.0), "1 %, 100 of 7,500 frames, about 5 min left"),
        (Progress(1, None, 0.0, 2.0), "0 %, 1 frame"),
        (Progress(5, 10, 0.5, 0.6), "50 %, 5 of 10 frames"),
    ],
    ids=["usual", "no count", "wrong count", "long", "no estimate", "too early"],
)
def test_progress_in_words(progress: Progress, words: str) -> None:
    assert progress.describe() == words


def test_a_file_name_cannot_leave_the_address_of_the_player() -> None:
    html = render_player(Path('/cache/a"><script>#?%.mp4'), "The video")
    assert "<script>" not in html
    assert "gradio_api/file=/cache/a%22%3E%3Cscript%3E%23%3F%25.mp4#t" in html
