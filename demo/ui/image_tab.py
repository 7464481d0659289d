"""The Image tab: a photo and choices in, the viewer's result out."""

import contextlib
from pathlib import Path
from typing import Any

import gradio as gr

from demo.errors import DemoError
from demo.framing import DEFAULT_FRAMING, FRAMINGS
from demo.inference import segment
from demo.models.registry import default_registry
from demo.ui.comparison import build_comparison
from demo.ui.components import (
    Choices,
    build_status,
    build_viewer,
    render_error,
    render_status,
)
from demo.ui.download import build_download
from demo.ui.requests import (
    SEGMENT_QUEUE,
    ImageRequest,
    choose_model,
    describe_failure,
    log_result,
    read_photo,
    report_to,
)
from demo.ui.viewer_value import viewer_value
from demo.variants import VARIANTS

EXAMPLES = Path(__file__).parent.parent.parent / "assets" / "examples"

_MAX_LOADING_VISITORS = 16
"""How many visitors see the first network being loaded: each holds one of the server's 40 threads.
Others wait in the queue."""

_SCROLL_TO_RESULT = """() => {
  if (!document.querySelector("#photo img")) return;
  const result = document.querySelector("#status");
  if (result.getBoundingClientRect().top > 0.6 * window.innerHeight)
    result.scrollIntoView({ behavior: "smooth", block: "start" });
}"""
"""On a phone the result lies below the choices."""

_SHOW_DECODED = """async (result) => {
  const { showDecoded } = await import(new URL("viewer/photo.js", document.baseURI));
  showDecoded(document.querySelector("#photo"), result);
}"""

_WATCH_WEBCAM = """async () => {
  const { watchWebcam } = await import(new URL("viewer/photo.js", document.baseURI));
  watchWebcam(document.querySelector("#photo"));
}"""

_MEND_EXAMPLES = """() => {
  const mendAll = () => {
    const images = document.querySelectorAll("#examples img");
    if (!images.length) return setTimeout(mendAll, 100);
    for (const image of images) {
      const source = new URL(image.src);
      if (source.hostname === location.hostname && source.origin !== location.origin)
        image.src = location.origin + source.pathname;
      const name = decodeURIComponent(image.src.split("/").pop()).replace(/\\.[a-z]+$/, "");
      image.alt = name;
      image.closest("button").setAttribute("aria-label", `Example: ${name}`);
    }
  };
  mendAll();
}"""
"""Names the examples for screen readers, which Gradio does not do, and puts back the port of their
addresses where a proxy has dropped it."""


def build_image_tab(page: gr.Blocks) -> gr.Image:
    """Lay out and wire the tab.

    Returns:
        The component that holds the photo.
    """
    with gr.Row():
        with gr.Column():
            choices = _build_choices()
        with gr.Column():
            status = build_status("Loading the network.", "status")
            viewer = build_viewer("viewer")
            # Gradio ends one listener of an event before it begins the next one. The listeners
            # that clear old files and comparisons therefore come before the segmentation.
            build_download(choices, viewer)
    build_comparison(choices)
    _announce_first_model(page, choices, status)
    _segment_on_change(choices, viewer, status)
    return choices.photo


def _build_choices() -> Choices:
    photo = gr.Image(
        label="Image",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        webcam_options=gr.WebcamOptions(mirror=False),
        height=360,
        elem_id="photo",
    )
    gr.Examples(
        sorted(str(path) for path in EXAMPLES.glob("*.jpg")),
        photo,
        label="Examples",
        elem_id="examples",
        api_visibility="private",
    )
    variant = gr.Radio(
        [
            (
                f"{v.key.upper()} · {v.parameters / 1e6:.1f} M parameters · "
                f"{v.published_miou} % mIoU",
                v.key,
            )
            for v in VARIANTS.values()
        ],
        label="MobileViT variant",
        info="Larger is slower. The mIoU is that of Apple's weights.",
        elem_id="variant",
    )
    with gr.Accordion("What the network sees", open=False):
        framing = gr.Radio(
            [(f"{name}: {sentence}", name) for name, sentence in FRAMINGS.items()],
            value=DEFAULT_FRAMING,
            label="Framing",
            show_label=False,
            elem_id="framing",
        )
    return Choices(photo, variant, framing)


def _announce_first_model(page: gr.Blocks, choices: Choices, status: gr.HTML) -> None:
    page.load(None, None, None, js=_MEND_EXAMPLES, api_visibility="private")
    page.load(None, None, None, js=_WATCH_WEBCAM, api_visibility="private")
    page.load(
        on_load,
        None,
        None,
        show_progress_on=status,
        concurrency_limit=_MAX_LOADING_VISITORS,
        api_visibility="private",
    ).then(
        on_ready,
        [choices.photo, choices.variant],
        [choices.variant, status],
        preprocess=False,
        show_progress="hidden",
        api_visibility="private",
    )


def _segment_on_change(choices: Choices, viewer: gr.HTML, status: gr.HTML) -> None:
    segmented = gr.on(
        [choices.photo.change, choices.variant.input, choices.framing.input],
        on_segment,
        [*choices],
        [viewer, status],
        preprocess=False,
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
    segmented.success(None, viewer, None, js=_SHOW_DECODED, api_visibility="private")
    segmented.success(None, None, None, js=_SCROLL_TO_RESULT, api_visibility="private")


def on_load(progress: gr.Progress = gr.Progress()) -> None:
    """Wait for the variant to begin with; `on_ready` says what came of it."""
    with contextlib.suppress(DemoError):
        default_registry().first_available(report_to(progress))


def on_ready(photo: ImageRequest, variant: str | None) -> tuple[Any, Any]:
    """Select the variant that is loaded, unless the visitor has chosen or begun meanwhile.

    Returns:
        The choice of variant, and the status line.
    """
    if photo is not None or variant is not None:
        return gr.skip(), gr.skip()
    try:
        model = default_registry().first_available()
    except DemoError as error:
        return gr.skip(), render_error(str(error))
    return model.variant.key, render_status(f"Ready: {model.variant.label}.", model.weights)


def on_segment(
    photo: ImageRequest,
    variant: str | None,
    framing: str,
    progress: gr.Progress = gr.Progress(),
) -> tuple[Any, str]:
    """Segment the photo on the page.

    Returns:
        The viewer's value, and the status line. When something is wrong, the status line says
        what, and the viewer stays as it was.
    """
    if photo is None:
        return None, render_status("Choose an image to begin.")
    try:
        image, notes = read_photo(photo)
        model = choose_model(variant, report_to(progress))
        segmentation = segment(image, model, framing=framing, notes=notes)
    except Exception as error:
        return gr.skip(), render_error(describe_failure(error))
    log_result(segmentation)
    took = f"{segmentation.variant.label} took {segmentation.elapsed_ms:.0f} ms."
    status = " ".join([took, *segmentation.notes])
    return viewer_value(image, segmentation), render_status(status, segmentation.weights)
