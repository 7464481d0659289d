"""Parts of the page that several tabs use: the viewer's elements and the status line."""

from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from demo.classes import VOC
from demo.models.checkpoint import WeightsSource
from demo.ui.viewer_value import ViewerProps

VIEWER = Path(__file__).parent / "viewer"

_MOUNT = """
import(new URL(props.module, document.baseURI))
  .then(({ mount }) => mount(element, props, watch, trigger, upload))
  .catch((error) => {
    console.error(error);
    element.querySelector(".empty, .message, .pending").textContent =
      "A part of the page could not be loaded. Reload the page.";
  });
"""


_EXPLANATION = (
    "IoU is the share of pixels that result and truth have in common, of all that either calls "
    "the class; mIoU is its mean over background and the 20 classes of PASCAL VOC."
)


class Choices(NamedTuple):
    """The components in which a visitor chooses what is segmented, and how."""

    photo: gr.HTML
    variant: gr.Radio
    framing: gr.Radio


def build_viewer(
    name: str, elem_id: str | None = None, module: str | None = None, **props: Any
) -> gr.HTML:
    """Build an element of demo/ui/viewer; `demo.server` serves its modules as they are.

    Args:
        name: of its HTML and its style.
        elem_id: its id on the page; the name if there is none.
        module: name of the JavaScript module that has mount(); the element's own if there is none.
        props: what else it is mounted with.
    """
    common: ViewerProps = {"module": f"viewer/{module or name}.js", "classes": VOC.infos}
    return gr.HTML(
        html_template=read_viewer(f"{name}.html"),
        css_template="".join(map(read_viewer, dict.fromkeys(("viewer.css", f"{name}.css")))),
        js_on_load=_MOUNT,
        apply_default_css=False,
        elem_id=elem_id or name,
        **common,
        **props,
    )


def read_viewer(name: str) -> str:
    """Read a file of demo/ui/viewer."""
    return (VIEWER / name).read_text(encoding="utf-8")


def build_status(sentence: str, elem_id: str) -> gr.HTML:
    """Build a status line; screen readers announce each change of it."""
    return gr.HTML(
        render_status(sentence),
        elem_id=elem_id,
        apply_default_css=False,
        js_on_load='element.setAttribute("aria-live", "polite");',
    )


def build_badge() -> gr.HTML:
    """Build the place for `render_badge`."""
    return gr.HTML(elem_id="badge", css_template=read_viewer("badge.css"), apply_default_css=False)


def render_status(sentence: str, weights: WeightsSource | None = None) -> str:
    """Write what happened as HTML, and on a second line which weights made it."""
    origin = f"<p>{escape(weights.describe())}</p>" if weights else ""
    return f'<div class="status"><p>{escape(sentence)}</p>{origin}</div>'


def render_badge(weights: WeightsSource) -> str:
    """Write which weights are loaded and how good they are; the details open on a click."""
    figure = f" · {weights.accuracy}" if weights.accuracy else ""
    return (
        f'<details class="badge"><summary>{escape(weights.badge + figure)}</summary>'
        f"<p>{escape(weights.describe())}</p><p>{escape(_EXPLANATION)}</p></details>"
    )


def render_error(sentence: str) -> str:
    """Write what went wrong and what to do, as HTML."""
    return f'<div class="status error" role="alert"><p>{escape(sentence)}</p></div>'
