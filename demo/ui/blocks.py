"""The page: layout and wiring."""

from pathlib import Path

import gradio as gr

from demo.framing import DEFAULT_FRAMING, FRAMINGS
from demo.registry import DEFAULT_VARIANT
from demo.ui.film import build_film_tab
from demo.ui.guard import guard
from demo.ui.handlers import (
    on_api_segment,
    on_compare,
    on_files,
    on_files_made,
    on_freeze,
    on_load,
    on_ready,
    on_segment,
)
from demo.ui.payload import ViewerProps, class_infos
from demo.ui.status import build_status
from demo.variants import VARIANTS
from demo.web.limits import QUEUE_SIZE

TITLE = "MobileViT + DeepLabV3 segmentation"
EXAMPLES = Path(__file__).parent.parent.parent / "assets" / "examples"

SEGMENT = "segment"
"""Name of the queue in which images wait; films have another."""

CONCURRENT_SEGMENTATIONS = 2
WAITING_VISITORS = 16
"""Who see the first network being loaded; each takes one of the server's 40 threads. Others wait
in the queue."""

KEPT_S = 3600
"""How long uploads and results stay on disk."""

_FOLDER = Path(__file__).parent
VIEWER = _FOLDER / "viewer"
_CLEAR = "() => null"
_SHOW_RESULT = """() => {
  if (!document.querySelector("#photo img")) return;
  const result = document.querySelector("#status");
  if (result.getBoundingClientRect().top > 0.6 * window.innerHeight)
    result.scrollIntoView({ behavior: "smooth", block: "start" });
}"""
"""On a phone the result lies below the choices."""

_NAME_FOR_READERS = """() => {
  const nameAll = () => {
    const images = document.querySelectorAll("#examples img");
    if (!images.length) return setTimeout(nameAll, 100);
    for (const image of images) {
      const name = decodeURIComponent(image.src.split("/").pop()).replace(/\\.[a-z]+$/, "");
      image.alt = name;
      image.closest("button").setAttribute("aria-label", `Example: ${name}`);
    }
  };
  nameAll();
}"""
"""What Gradio leaves out: the examples' names."""

_MOUNT = """
import(new URL(props.module, document.baseURI))
  .then(({ mount }) => mount(element, props, watch, trigger, upload))
  .catch((error) => {
    console.error(error);
    element.querySelector(".empty, .message, .pending").textContent =
      "A part of the page could not be loaded. Reload the page.";
  });
"""


def build_page() -> gr.Blocks:
    """Lay the page out and wire it; loads no weights."""
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=(KEPT_S // 4, KEPT_S)
    ) as page:
        gr.Markdown(
            f"# {TITLE}\nWhich of the 21 PASCAL VOC classes is where in a photograph, and how "
            "much of it each one covers."
        )
        with gr.Tabs() as tabs:
            with gr.Tab("Image", id="image"):
                with gr.Row():
                    with gr.Column():
                        photo, variant, framing = _build_inputs()
                    with gr.Column():
                        viewer, status, make_files, files = _build_outputs()
                with gr.Accordion("Compare the variants", open=False):
                    compare = gr.Button("Compare XXS, XS and S on this image")
                    comparison = _build_viewer(
                        "comparison", elem_id="compare", viewer=_read_viewer("viewer.html")
                    )
            with gr.Tab("Live camera", id="live", render_children=True):
                live = _build_viewer("live")
            with gr.Tab("Video file", id="video"):
                build_film_tab()
        gr.Markdown(
            "Images and films are processed on the machine that serves this page and passed on to "
            "nobody. They are deleted from it ten minutes after you leave, and within an hour and "
            "a quarter in any case."
        )
        page.load(None, None, None, js=_NAME_FOR_READERS, api_visibility="private")
        page.load(
            on_load,
            None,
            None,
            show_progress_on=status,
            concurrency_limit=WAITING_VISITORS,
            api_visibility="private",
        ).then(
            on_ready,
            [photo, variant],
            [variant, status],
            preprocess=False,
            show_progress="hidden",
            api_visibility="private",
        )
        made = gr.State()
        make_files.click(
            on_files,
            [photo, variant, framing],
            made,
            preprocess=False,
            show_progress_on=files,
            concurrency_limit=CONCURRENT_SEGMENTATIONS,
            concurrency_id=SEGMENT,
            api_visibility="private",
        )
        made.change(
            on_files_made,
            [made, photo, variant, framing],
            files,
            preprocess=False,
            queue=False,
            api_visibility="private",
        )
        compared = compare.click(
            on_compare,
            [photo, framing],
            comparison,
            preprocess=False,
            concurrency_limit=CONCURRENT_SEGMENTATIONS,
            concurrency_id=SEGMENT,
            api_visibility="private",
        )
        live.submit(on_freeze, None, [tabs, photo], api_visibility="private")
        # Gradio ends one listener of an event before it begins the next: what clears comes first
        gr.on(
            [photo.change, variant.input, framing.input],
            None,
            None,
            files,
            js=_CLEAR,
            api_visibility="private",
        )
        gr.on(
            [photo.change, framing.input],
            None,
            None,
            comparison,
            js=_CLEAR,
            cancels=compared,
            api_visibility="private",
        )
        segmented = gr.on(
            [photo.change, variant.input, framing.input],
            on_segment,
            [photo, variant, framing],
            [viewer, status],
            preprocess=False,
            show_progress_on=viewer,
            trigger_mode="always_last",
            concurrency_limit=CONCURRENT_SEGMENTATIONS,
            concurrency_id=SEGMENT,
            api_visibility="private",
        )
        segmented.success(
            None,
            [viewer, variant],
            variant,
            js="(result, variant) => variant ?? result?.variant ?? null",
            api_visibility="private",
        )
        segmented.success(None, None, None, js=_SHOW_RESULT, api_visibility="private")
        _build_api()
    guard(page)
    page.queue(max_size=4 * QUEUE_SIZE, api_open=False)
    return page


def build_theme() -> gr.themes.Base:
    """Gradio's default look in teal, with the reader's own fonts and legible small print."""
    return gr.themes.Default(
        primary_hue="teal",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
    )


def read_css() -> str:
    """The page's style sheet."""
    return (_FOLDER / "page.css").read_text(encoding="utf-8")


def _build_inputs() -> tuple[gr.Image, gr.Radio, gr.Radio]:
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
    return photo, variant, framing


def _build_outputs() -> tuple[gr.HTML, gr.HTML, gr.Button, gr.Files]:
    status = build_status("Loading the network.", "status")
    viewer = _build_viewer("viewer")
    with gr.Accordion("Take it away", open=False, elem_id="files"):
        gr.Markdown(
            "Class map and one mask per class as PNG, overlay, cut-out, areas as CSV and JSON, "
            "COCO annotations, and what made them: in one ZIP, laid out as CVAT's "
            '"Segmentation mask 1.1", and each on its own. They hold the whole result, whatever '
            "the viewer hides or calls unsure."
        )
        make_files = gr.Button("Make the files")
        files = gr.Files(label="Files", interactive=False)
    return viewer, status, make_files, files


def _build_viewer(name: str, elem_id: str | None = None, **props: str) -> gr.HTML:
    """A component of demo/ui/viewer; `demo.ui.serving` serves its modules as they are."""
    common: ViewerProps = {"module": f"viewer/{name}.js", "classes": class_infos()}
    return gr.HTML(
        html_template=_read_viewer(f"{name}.html"),
        css_template="".join(map(_read_viewer, dict.fromkeys(("viewer.css", f"{name}.css")))),
        js_on_load=_MOUNT,
        apply_default_css=False,
        elem_id=elem_id or name,
        **common,
        **props,
    )


def _read_viewer(name: str) -> str:
    return (VIEWER / name).read_text(encoding="utf-8")


def _build_api() -> None:
    """The endpoint /segment; its components are never shown."""
    with gr.Row(visible=False):
        image = gr.Image(label="image", image_mode=None, type="filepath")
        variant = gr.Radio(list(VARIANTS), value=DEFAULT_VARIANT, label="variant")
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
            concurrency_limit=CONCURRENT_SEGMENTATIONS,
            concurrency_id=SEGMENT,
        )
