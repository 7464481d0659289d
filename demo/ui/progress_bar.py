"""A bar that shows how far long work has come."""

from html import escape


def render_bar(words: str, fraction: float | None, label: str) -> str:
    """Draw a bar with words below it.

    Args:
        words: how far the work has come.
        fraction: the same in [0, 1]; None for a bar that moves without saying it.
        label: what the progress is of, for screen readers.
    """
    percent = None if fraction is None else int(100 * fraction)
    value = "" if percent is None else f'aria-valuenow="{percent}" '
    bar = "moving" if percent is None else f'" style="width: {percent}%'
    return (
        f'<div class="work-progress"><div role="progressbar" aria-label="{escape(label)}" '
        f'aria-valuemin="0" aria-valuemax="100" {value}aria-valuetext="{escape(words)}">'
        f'<span class="{bar}"></span></div><p>{escape(words)}</p></div>'
    )
