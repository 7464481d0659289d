"""The line above a result, as HTML."""

from html import escape

from demo.segmentation import WeightsSource


def render_status(sentence: str, weights: WeightsSource | None = None) -> str:
    """One line of what happened, and one of which weights made it and what they know."""
    origin = f"<p>{escape(weights.describe())}</p>" if weights else ""
    return f'<div class="status"><p>{escape(sentence)}</p>{origin}</div>'


def render_error(sentence: str) -> str:
    """One line of what went wrong and what to do."""
    return f'<div class="status error" role="alert"><p>{escape(sentence)}</p></div>'
