"""The Image tab: a picture and choices in, the viewer's result out."""

import contextlib
from typing import Any

import gradio as gr

from demo.areas import found_areas
from demo.classes import BACKGROUND, CLASS_NAMES
from demo.errors import DemoError
from demo.framing import FRAMINGS
from demo.inference import segment
from demo.models.checkpoint import WeightsSource
from demo.models.registry import default_registry
from demo.segmentation import Segmentation
from demo.ui.comparison import build_comparison
from demo.ui.components import (
    Choices,
    build_badge,
    build_status,
    build_viewer,
    render_badge,
    render_error,
    render_status,
)
from demo.ui.download import build_download
from demo.ui.examples import usable_examples
from demo.ui.picker import build_picker, refuse, update_picker
from demo.ui.requests import (
    SEGMENT_QUEUE,
    ImageRequest,
    choose_model,
    describe_failure,
    log_result,
    read_photo,
    report_to,
    waits_shown_in,
)
from demo.ui.viewer_value import viewer_value
from demo.variants import offered_variants

_MAX_LOADING_VISITORS = 16
"""How many visitors see the first network being loaded: each holds one of the server's 40 threads.
Others wait in the queue."""

_SCROLL_TO_RESULT = """() => {
  const result = document.querySelector("#viewer");
  const { top, bottom } = result.getBoundingClientRect();
  if (top > 0.6 * window.innerHeight || bottom < 0)
    document.querySelector("#picker").scrollIntoView({ behavior: "smooth", block: "start" });
}"""
"""On a phone the result may lie out of sight; the examples stay above it."""

_SHOW_THUMBNAIL = """async (result) => {
  const { showThumbnail } = await import(new URL("viewer/picker.js", document.baseURI));
  showThumbnail(document.querySelector("#picker"), result);
}"""

_READ_VARIANT = """async (photo, variant) => {
  const { readAddress } = await import(new URL("viewer/address.js", document.baseURI));
  return [photo, variant ?? readAddress("variant")];
}"""

_WRITE_VARIANT = """async (variant) => {
  const { writeAddress } = await import(new URL("viewer/address.js", document.baseURI));
  writeAddress("variant", variant);
}"""

_FRAMING_LABELS = {
    "auto": "Automatic",
    "whole": "Squash to a square",
    "aspect": "Keep the proportions",
    "crop": "Centre only",
}


def build_image_tab(page: gr.Blocks) -> gr.HTML:
    """Lay out and wire the tab.

    Returns:
        The component that holds the chosen picture.
    """
    picker = build_picker()
    with gr.Column(elem_id="result"):
        with gr.Row(elem_id="model"):
            variant = _build_variant()
            badge = build_badge()
        status = build_status("Loading the network.", "status")
        viewer = build_viewer("viewer")
    with gr.Accordion("Resizing", open=False):
        framing = _build_framing()
    choices = Choices(picker, variant, framing)
    # Gradio ends one listener of an event before it begins the next one. The listeners
    # that clear old files and comparisons therefore come before the segmentation.
    build_comparison(choices)
    build_download(choices, viewer)
    _announce_first_model(page, choices, [badge, status, viewer])
    _segment_on_change(choices, viewer, badge, status)
    return picker


def _build_variant() -> gr.Radio:
    return gr.Radio(
        [(v.short_label, v.key) for v in offered_variants().values()],
        label="MobileViT variant, from the fastest to the largest",
        container=False,
        elem_id="variant",
    )


def _build_framing() -> gr.Radio:
    return gr.Radio(
        [(f"{label}: {FRAMINGS[name]}", name) for name, label in _FRAMING_LABELS.items()],
        value="auto",
        label="How the picture is brought to the network's size",
        elem_id="framing",
    )


def _announce_first_model(page: gr.Blocks, choices: Choices, outputs: list[gr.HTML]) -> None:
    page.load(
        on_load,
        None,
        None,
        show_progress_on=outputs[1],
        concurrency_limit=_MAX_LOADING_VISITORS,
        api_visibility="private",
    ).then(
        on_ready,
        [choices.photo, choices.variant],
        [choices.photo, choices.variant, *outputs],
        js=_READ_VARIANT,
        show_progress="hidden",
        api_visibility="private",
    ).success(None, outputs[2], None, js=_SHOW_THUMBNAIL, api_visibility="private")


def _segment_on_change(choices: Choices, viewer: gr.HTML, badge: gr.HTML, status: gr.HTML) -> None:
    segmented = gr.on(
        [choices.photo.submit, choices.variant.input, choices.framing.input],
        on_segment,
        [*choices],
        [choices.photo, viewer, badge, status],
        show_progress_on=viewer,
        trigger_mode="always_last",
        api_visibility="private",
        **SEGMENT_QUEUE,
    )
    segmented.success(
        None,
        [viewer, choices.variant],
        choices.variant,
        js="(result, variant) => variant ?? result?.variant ?? null",
        api_visibility="private",
    )
    choices.variant.input(None, choices.variant, None, js=_WRITE_VARIANT, api_visibility="private")
    segmented.success(None, viewer, None, js=_SHOW_THUMBNAIL, api_visibility="private")
    segmented.success(None, None, None, js=_SCROLL_TO_RESULT, api_visibility="private")


def on_load(progress: gr.Progress = gr.Progress()) -> None:
    """Wait for the variant to begin with; `on_ready` says what came of it."""
    with contextlib.suppress(DemoError):
        default_registry().first_available(report_to(progress))


def on_ready(photo: ImageRequest, variant: str | None) -> tuple[Any, ...]:
    """Begin with the result of an example, unless the visitor has chosen a picture meanwhile.

    The variant is the one that the visitor or the address has chosen, if there is one.

    Returns:
        The picker, the choice of variant, the badge, the status line and the viewer's value.
    """
    skipped = gr.skip()
    try:
        model = choose_model(variant if variant in offered_variants() else None)
    except DemoError as error:
        return skipped, skipped, skipped, render_error(str(error)), skipped
    examples = usable_examples.infos(model)
    if photo is not None:
        return gr.HTML(examples=examples), skipped, skipped, skipped, skipped
    badge = render_badge(model.weights)
    result = usable_examples.first_result(model)
    choice = {"example": examples[0]["name"]} if examples else None
    ready = f"Ready: {model.variant.label}. {_describe_known(model.weights)}"
    picker = update_picker(choice, examples)
    return picker, model.variant.key, badge, render_status(ready), result


def on_segment(
    photo: ImageRequest,
    variant: str | None,
    framing: str,
    progress: gr.Progress = gr.Progress(),
) -> tuple[Any, Any, Any, str]:
    """Segment the picture on the page.

    Returns:
        The picker, the viewer's value, the badge, and the status line. When something is wrong,
        the status line says what, and the viewer stays as it was; the picker then goes back from a
        picture that cannot be read to the one in the viewer.
    """
    skipped = gr.skip()
    if photo is None:
        return skipped, None, skipped, render_status("Choose a picture to begin.")
    try:
        image, notes = read_photo(photo)
    except Exception as error:
        return refuse(photo), skipped, skipped, render_error(describe_failure(error))
    try:
        model = choose_model(variant, report_to(progress))
        with waits_shown_in(progress):
            segmentation = segment(image, model, framing=framing, notes=notes)
    except Exception as error:
        return skipped, skipped, skipped, render_error(describe_failure(error))
    log_result(segmentation)
    status = render_status(describe_result(segmentation, framing))
    badge = render_badge(segmentation.weights)
    return skipped, viewer_value(image, segmentation), badge, status


def describe_result(segmentation: Segmentation, framing: str) -> str:
    """Say what was done in how long, what it means if nothing was found, and what was ignored."""
    label, precision = segmentation.variant.label, segmentation.precision
    took = f"{label} took {segmentation.elapsed_ms:.0f} ms in {precision}."
    sentences = [took, *segmentation.notes]
    if framing == "auto" and segmentation.framing.name == "aspect":
        sentences.insert(1, "The picture is longer than 2:1, so it was not squashed to a square.")
    if not found_areas(segmentation):
        sentences.insert(0, _describe_nothing(segmentation.weights))
    return " ".join(sentences)


def _describe_nothing(weights: WeightsSource) -> str:
    names = [name for name in weights.class_names if name != BACKGROUND]
    found, what = "Nothing found.", "one of them"
    if len(names) == 1:
        found, what = f"No {names[0]} found.", f"a {names[0]}"
    return f"{found} {_describe_known(weights)} Try a picture in which {what} is large."


def _describe_known(weights: WeightsSource) -> str:
    """Say which classes the weights know."""
    names = [name for name in weights.class_names if name != BACKGROUND]
    everything = [name for name in weights.all_names if name != BACKGROUND]
    if weights.class_names == CLASS_NAMES:
        return "It knows the 20 classes of PASCAL VOC: " + ", ".join(names) + "."
    if len(names) > len(everything) / 2:
        share = "" if names == everything else f" of {len(everything)}"
        classes = "class" if len(everything) == 1 else "classes"
        return f"It knows {len(names)}{share} {classes}: {', '.join(names)}."
    plural = {"person": "people"}
    known = " and ".join(plural.get(name, name) for name in names)
    return f"This {weights.badge[0].lower()}{weights.badge[1:]} knows {known} only."
