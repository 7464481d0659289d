"""The picker: where a visitor chooses the picture of the Image tab."""

import gradio as gr

from demo.ui.components import build_viewer
from demo.ui.requests import ImageRequest
from demo.ui.viewer_value import ExampleInfo


def build_picker() -> gr.HTML:
    """Build the picker; it triggers `submit` when its value was chosen by the visitor."""
    return build_viewer("picker", examples=[])


def update_picker(choice: ImageRequest, examples: list[ExampleInfo]) -> gr.HTML:
    """Show a choice and the examples; the page asks for no result by itself."""
    return gr.HTML(value=choice, examples=examples)


def refuse(photo: ImageRequest) -> gr.HTML:
    """Let the picker go back to the picture before, because this one cannot be read."""
    return gr.HTML(value={**(photo or {}), "is_refused": True})
