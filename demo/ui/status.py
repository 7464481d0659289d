"""The line above a result, as HTML."""

from html import escape

import gradio as gr

from demo.segmentation import WeightsSource


def build_status(sentence: str, elem_id: str) -> gr.HTML:
    """The line on the page; screen readers are told whenever it changes."""
    return gr.HTML(
        render_status(sentence),
        elem_id=elem_id,
        apply_default_css=False,
        js_on_load='element.setAttribute("aria-live", "polite");',
    )


def render_status(sentence: str, weights: WeightsSource | None = None) -> str:
    """One line of what happened, and one of which weights made it and what they know."""
    origin = f"<p>{escape(weights.describe())}</p>" if weights else ""
    return f'<div class="status"><p>{escape(sentence)}</p>{origin}</div>'


def render_error(sentence: str) -> str:
    """One line of what went wrong and what to do."""
    return f'<div class="status error" role="alert"><p>{escape(sentence)}</p></div>'
