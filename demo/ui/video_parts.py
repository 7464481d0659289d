"""Parts of the Video tab that are written as HTML: the player, and how far the work has come."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

import gradio as gr

from demo.ui.progress_bar import render_bar

_LABEL = "Progress of the video"

_WATCH_PLAYER = """
const giveUp = (event) => event.target.closest(".video-player")?.classList.add("unplayable");
element.addEventListener("error", giveUp, true);
element.addEventListener("loadedmetadata", (event) => {
  if (!event.target.videoWidth) giveUp(event);
}, true);
"""
"""Shows a sentence instead of a player that has no picture to show."""

_ESTIMATE_AFTER_S = 1.0
"""How long the work must have gone on before its remaining time is worth saying."""


@dataclass(frozen=True)
class Progress:
    """How far the work on a video has come.

    Attributes:
        frames: number of frames that are done.
        announced_frames: number of frames that the file announces; None if it does not say.
        time_fraction: fraction of the video's time that is done, in [0, 1].
        elapsed_s: how long the work has taken so far.
    """

    frames: int
    announced_frames: int | None
    time_fraction: float
    elapsed_s: float

    @property
    def fraction(self) -> float:
        """Fraction of the work that is done, in [0, 1]: of the frames, or else of the time."""
        return self.frames / self._total if self._total else self.time_fraction

    @property
    def _total(self) -> int | None:
        """The announced number of frames, unless there turn out to be more."""
        is_true = self.announced_frames is not None and self.frames <= self.announced_frames
        return self.announced_frames if is_true else None

    def describe(self) -> str:
        """Say it in words, such as "38 %, 46 of 120 frames, about 9 s left"."""
        total = f" of {self._total:,}" if self._total else ""
        count = f"{self.frames:,}{total} frame{'s' if total or self.frames > 1 else ''}"
        parts = [f"{int(100 * self.fraction)} %", count]
        if self.elapsed_s >= _ESTIMATE_AFTER_S and self.fraction > 0:
            left_s = self.elapsed_s * (1 - self.fraction) / self.fraction
            parts.append(f"about {_in_words(left_s)} left")
        return ", ".join(parts)


def _in_words(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def render_progress(progress: Progress) -> str:
    """Draw a bar with the words below it."""
    return render_bar(progress.describe(), progress.fraction, _LABEL)


def render_waiting(sentence: str) -> str:
    """Draw a bar that moves without saying how far the work has come."""
    return render_bar(sentence, None, _LABEL)


def build_player(value: str, elem_id: str) -> gr.HTML:
    """Build the place of a player; `render_player` writes what it holds."""
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False, js_on_load=_WATCH_PLAYER)


def render_player(video: Path, label: str, plays: bool = False) -> str:
    """Draw a player of a file in Gradio's cache, or a sentence where the browser cannot play it.

    Args:
        video: the file.
        label: its name for screen readers.
        plays: whether it begins to play by itself, without sound.
    """
    source = f"gradio_api/file={quote(str(video))}"  # relative, as a proxy may add a path before it
    # Safari on a phone shows nothing of a video that stands at 0 s.
    start = "autoplay" if plays else 'preload="metadata"'
    source = source if plays else f"{source}#t=0.001"
    return (
        f'<div class="video-player"><video src="{escape(source)}" {start} controls muted '
        f'playsinline aria-label="{escape(label)}"></video><p>This browser cannot play the video.'
        "</p></div>"
    )
