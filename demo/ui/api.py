"""The endpoints /segment, /background and /segment_many of the API."""

from typing import Any

import gradio as gr

from demo.background import (
    DEFAULT_KEPT,
    Background,
    find_kept,
    parse_background,
    replace_background,
)
from demo.batch import TABLE, encode_table, gather_images, segment_batch
from demo.exports import areas_record, encode_class_map, encode_picture, encode_png
from demo.framing import DEFAULT_FRAMING, FRAMINGS, plan_framing
from demo.overlay import draw_overlay
from demo.ui.requests import (
    BEST,
    SEGMENT_QUEUE,
    ImageRequest,
    choose_model,
    failures_shown_by_gradio,
    read_photo,
    read_upload,
    segment_request,
)
from demo.ui.uploads import make_result_folder
from demo.variants import offered_variants


def build_api() -> None:
    """Add the endpoints; their components are never shown."""
    with gr.Row(visible=False):
        image = gr.Image(label="image", image_mode=None, type="filepath")
        variant = gr.Radio([BEST, *offered_variants()], value=BEST, label="variant")
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
        background = gr.Textbox("blurred", label="background")
        kept = gr.JSON(list(DEFAULT_KEPT), label="keep")
        # Gradio describes any JSON by a type that no JSON schema has, which MCP refuses.
        kept.api_info = lambda: {"type": "array", "items": {"type": "string"}}
        refine = gr.Checkbox(True, label="refine edges")
        behind = gr.Image(label="picture", image_mode=None, type="filepath")
        replaced = gr.Image(label="image", format="png")
        gr.Button().click(
            on_api_background,
            [image, variant, framing, background, kept, refine, behind],
            replaced,
            api_name="background",
            preprocess=False,
            **SEGMENT_QUEUE,
        )

        images = gr.File(file_count="multiple", label="images")
        archive, table = gr.File(label="ZIP"), gr.File(label="table")
        gr.Button().click(
            on_api_segment_many,
            [images, variant, framing],
            [archive, table],
            api_name="segment_many",
            preprocess=False,
            **SEGMENT_QUEUE,
        )


def on_api_segment(
    image: ImageRequest, variant: str = BEST, framing: str = DEFAULT_FRAMING
) -> tuple[str, str, dict[str, Any]]:
    """Segment one image into classes such as person, cat and car, and measure their areas.

    Args:
        image: what to segment.
        variant: the network; larger ones are slower and find more.
        framing: ``crop`` sees the middle of the image only, the others see all of it.

    Returns:
        The overlay (PNG)
        the class map (single-channel PNG of class ids, VOC palette)
        the areas with the variant, framing, weights and time that made them.
    """
    pixels, segmentation = segment_request(image, variant, framing)
    folder = make_result_folder()
    overlay, class_map = folder / "overlay.png", folder / "classes.png"
    overlay.write_bytes(encode_png(draw_overlay(pixels, segmentation)))
    class_map.write_bytes(encode_class_map(segmentation))
    return str(overlay), str(class_map), areas_record(segmentation)


def on_api_background(  # noqa: PLR0917 - Gradio gives the inputs in their order
    image: ImageRequest,
    variant: str = BEST,
    framing: str = DEFAULT_FRAMING,
    background: str = "blurred",
    keep: list[str] | None = None,
    refine: bool = True,
    picture: ImageRequest = None,
) -> str:
    """Segment one image, and blur or replace everything but some classes.

    Args:
        image: what to segment.
        variant: the network; larger ones are slower and find more.
        framing: ``crop`` sees the middle of the image only, the others see all of it.
        background: ``blurred``, ``transparent`` or a colour such as ``#00b140``.
        keep: names of the classes that stay; person if there are none.
        refine: let edges follow those of the image.
        picture: stands behind the classes, whatever the background is.

    Returns:
        The image as PNG.
    """
    with failures_shown_by_gradio():
        classes = choose_model(variant).classes
        kept = find_kept(DEFAULT_KEPT if keep is None else keep, classes)
        if picture is None:
            behind = parse_background(background)
        else:
            behind = Background("picture", picture=read_photo(picture)[0])
    pixels, segmentation = segment_request(image, variant, framing)
    replaced = replace_background(pixels, segmentation, kept, behind, refine=refine)
    file = make_result_folder() / "background.png"
    file.write_bytes(encode_picture(replaced))
    return str(file)


def on_api_segment_many(
    images: list[dict[str, Any]], variant: str = BEST, framing: str = DEFAULT_FRAMING
) -> tuple[str, str]:
    """Segment many images; one that fails does not stop the others.

    Args:
        images: image files, or ZIP files of them.
        variant: the network; larger ones are slower and find more.
        framing: ``crop`` sees the middle of each image only, the others see all of it.

    Returns:
        A ZIP with all files for each image
        the table of all areas (CSV); it says why an image could not be segmented.
    """
    with failures_shown_by_gradio():
        plan_framing((1, 1), framing)
        folder = make_result_folder()
        found = gather_images([read_upload(image) for image in images or []], folder)
        archive, table = folder / "segmentation.zip", folder / TABLE
        rows = list(segment_batch(found, choose_model(variant), archive, framing))
        table.write_bytes(encode_table(rows))
        return str(archive), str(table)
