"""The Live tab; the frames themselves go through `demo.web.live_socket`."""

from pathlib import Path
from typing import Any

import gradio as gr

from demo.ui.components import build_viewer
from demo.ui.uploads import lies_among_uploads
from demo.ui.viewer_value import OwnModel
from demo.variants import offered_variants
from demo.web import built_site


def build_live_tab(tabs: gr.Tabs, photo: gr.HTML) -> None:
    """Lay out the tab; a frozen frame becomes the picture of the Image tab."""
    is_built = built_site.find_built_site() is not None
    in_browser = f"{built_site.ADDRESS}/#tab=live" if is_built else ""
    models = [
        OwnModel(key=variant.key, label=variant.label)
        for variant in offered_variants().values()
        if variant.name
    ]
    live = build_viewer("live", module="live_server", in_browser=in_browser, models=models)
    live.submit(on_freeze, None, [tabs, photo], api_visibility="private")


def on_freeze(event: gr.EventData) -> tuple[Any, dict[str, Any]]:
    """Make a frame of the live view the picture of the Image tab.

    Args:
        event: carries the frame's path in Gradio's cache, where the page has uploaded it.

    Returns:
        The tab to show, and the choice, which the page then sends back to be segmented.
    """
    path = Path(str(event._data.get("path", ""))).resolve()
    if not lies_among_uploads(path):
        raise gr.Error("Expected a frame of the live view.", print_exception=False)
    choice = {"path": str(path), "orig_name": "camera.jpg", "is_new": True}
    return gr.Tabs(selected="image"), choice
