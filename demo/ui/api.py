"""The endpoint /segment of the API."""

from typing import Any

import gradio as gr

from demo.exports import areas_record, encode_class_map, encode_png
from demo.framing import DEFAULT_FRAMING, FRAMINGS
from demo.overlay import draw_overlay
from demo.ui.requests import BEST, SEGMENT_QUEUE, ImageRequest, segment_request
from demo.ui.uploads import make_result_folder
from demo.variants import VARIANTS


def build_api() -> None:
    """Add the endpoint; its components are never shown."""
    with gr.Row(visible=False):
        image = gr.Image(label="image", image_mode=None, type="filepath")
        variant = gr.Radio([BEST, *VARIANTS], value=BEST, label="variant")
        framing = gr.Radio(list(FRAMINGS), value=DEFAULT_FRAMING, label="framing")
        overlay = gr.Image(label="overlay", format="png")
        class_map = gr.Image(label="class map", format="png")
        areas = gr.JSON(label="areas")
        gr.Button().click(
            on_api_segment,
            [image, variant, framing],
            [overlay, class_map, areas],
            api_name="segment",
            preprocess=False,
            **SEGMENT_QUEUE,
        )


def on_api_segment(
    image: ImageRequest, variant: str = BEST, framing: str = DEFAULT_FRAMING
) -> tuple[str, str, dict[str, Any]]:
    """Segment one image.

    Returns:
        The overlay (PNG), the class map (single-channel PNG of class ids, VOC palette), and the
        areas with the variant, framing, weights and time that made them.
    """
    pixels, segmentation = segment_request(image, variant, framing)
    folder = make_result_folder()
    overlay, class_map = folder / "overlay.png", folder / "classes.png"
    overlay.write_bytes(encode_png(draw_overlay(pixels, segmentation)))
    class_map.write_bytes(encode_class_map(segmentation))
    return str(overlay), str(class_map), areas_record(segmentation)
