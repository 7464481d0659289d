"""The comparison: the same photo segmented by every variant."""

import uuid
from collections.abc import Iterator

import gradio as gr

from demo.inference import segment
from demo.segmentation import Segmentation
from demo.ui.components import Choices, build_viewer, read_viewer
from demo.ui.requests import (
    NO_IMAGE,
    SEGMENT_QUEUE,
    ImageRequest,
    choose_model,
    describe_failure,
    failures_shown_by_gradio,
    read_photo,
)
from demo.ui.viewer_value import (
    ComparedValue,
    ComparisonValue,
    FailedValue,
    agreement,
    compared_value,
    viewer_image,
)
from demo.variants import VARIANTS


def build_comparison(choices: Choices) -> None:
    """Lay out and wire the comparison; another photo or framing clears it."""
    with gr.Accordion("Compare the variants", open=False):
        compare = gr.Button("Compare XXS, XS and S on this image")
        comparison = build_viewer(
            "comparison", elem_id="compare", viewer=read_viewer("viewer.html")
        )
    compared = compare.click(
        on_compare,
        [choices.photo, choices.framing],
        comparison,
        preprocess=False,
        api_visibility="private",
        **SEGMENT_QUEUE,
    )
    gr.on(
        [choices.photo.submit, choices.framing.input],
        None,
        None,
        comparison,
        js="() => null",
        cancels=compared,
        api_visibility="private",
    )


def on_compare(photo: ImageRequest, framing: str) -> Iterator[ComparisonValue]:
    """Segment the photo with every variant, smallest first.

    Yields:
        The comparison's viewer value, before the first variant and after each.
    """
    if photo is None:
        raise gr.Error(NO_IMAGE, print_exception=False)
    with failures_shown_by_gradio():
        image, notes = read_photo(photo)
    shown = viewer_image(image)
    run = uuid.uuid4().hex
    done: list[Segmentation] = []
    results: list[ComparedValue | FailedValue] = []

    def describe_state() -> ComparisonValue:
        return {
            **shown,
            "run": run,
            "results": list(results),
            "pending": _describe_pending(len(results)),
            "agreement": agreement(done),
        }

    yield describe_state()
    for variant in VARIANTS.values():
        try:
            segmentation = segment(image, choose_model(variant.key), framing=framing, notes=notes)
        except Exception as error:
            sentence = describe_failure(error)
            results.append({"key": variant.key, "label": variant.label, "error": sentence})
        else:
            done.append(segmentation)
            results.append(compared_value(segmentation))
        yield describe_state()


def _describe_pending(done: int) -> str:
    """Say which variant is being computed; empty after the last one."""
    variants = list(VARIANTS.values())
    if done == len(variants):
        return ""
    return f"Computing {variants[done].label}, {done + 1} of {len(variants)} …"
