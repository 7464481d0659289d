"""The page: its tabs, in order, and its look."""

from pathlib import Path

import gradio as gr

from demo.ui.api import build_api
from demo.ui.batch_tab import build_batch_tab
from demo.ui.components import read_viewer
from demo.ui.gradio_patches import patch_gradio
from demo.ui.image_tab import build_image_tab
from demo.ui.live_tab import build_live_tab
from demo.ui.video_tab import build_video_tab
from demo.web import retention
from demo.web.places import QUEUE_SIZE

TITLE = "MobileViT + DeepLabV3 segmentation"


def build_page() -> gr.Blocks:
    """Lay out and wire the page; loads no weights."""
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=retention.GRADIO_CLEAN_UP_S
    ) as page:
        gr.Markdown(
            f"# {TITLE}\nFinds people, animals, vehicles and furniture in a picture, and measures "
            "how much of it each one covers."
        )
        with gr.Tabs() as tabs:
            with gr.Tab("Image", id="image"):
                photo = build_image_tab(page)
            with gr.Tab("Live", id="live", render_children=True):
                build_live_tab(tabs, photo)
            with gr.Tab("Video", id="video"):
                build_video_tab()
            with gr.Tab("Batch", id="batch"):
                build_batch_tab(tabs, photo)
        gr.Markdown(
            "Images and videos are processed on the machine that serves this page and passed on "
            f"to nobody. {retention.SENTENCE}"
        )
        _note_tab(page, tabs)
        build_api()
    patch_gradio(page)
    page.queue(max_size=4 * QUEUE_SIZE, api_open=False)
    return page


_READ_TAB = """() => {
  const noted = new URLSearchParams(location.hash.slice(1)).get("tab");
  const selected = ["live", "video", "batch"].includes(noted) ? noted : "image";
  return { __type__: "update", selected };
}"""
"""Reads at once: Gradio reports the first tab as chosen while a module would still be loading."""

_WRITE_TAB = """async () => {
  const { writeAddress } = await import(new URL("viewer/address.js", document.baseURI));
  writeAddress("tab", TAB);
}"""


def _note_tab(page: gr.Blocks, tabs: gr.Tabs) -> None:
    """Keep the tab in the address, so that a link opens it."""
    page.load(None, None, tabs, js=_READ_TAB, api_visibility="private")
    for tab in tabs.children:
        noted = "null" if tab.id == "image" else f'"{tab.id}"'
        script = _WRITE_TAB.replace("TAB", noted)
        tab.select(None, None, None, js=script, api_visibility="private")


def build_theme() -> gr.themes.Base:
    """Build Gradio's default look in teal, with the reader's own fonts and legible small print."""
    return gr.themes.Default(
        primary_hue="teal",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
    )


def read_css() -> str:
    """Read the page's style sheet, and those of the list of keys and of the rows of a batch."""
    page = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    return page + read_viewer("keyboard.css") + read_viewer("batch.css")
