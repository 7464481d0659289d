"""The Live camera tab; the frames themselves go through `demo.web.live_socket`."""

from pathlib import Path
from typing import Any

import gradio as gr

from demo.ui.components import build_viewer
from demo.ui.uploads import lies_among_uploads


def build_live_tab(tabs: gr.Tabs, photo: gr.Image) -> None:
    """Lay out the tab; a frozen frame becomes the photo of the Image tab."""
    live = build_viewer("live")
    live.submit(on_freeze, None, [tabs, photo], api_visibility="private")


def on_freeze(event: gr.EventData) -> tuple[Any, str]:
    """Make a frame of the live view the photo of the Image tab.

    Args:
        event: carries the frame's path in Gradio's cache, where the page has uploaded it.

    Returns:
        The tab to show, and the photo.
    """
    path = Path(str(event._data.get("path", ""))).resolve()
    if not lies_among_uploads(path):
        raise gr.Error("Expected a frame of the live view.", print_exception=False)
    return gr.Tabs(selected="image"), str(path)
