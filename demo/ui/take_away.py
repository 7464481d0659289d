"""Take it away: all files that can be made from a result."""

import gradio as gr

from demo.exports import build_files, encode_zip
from demo.ui.components import Choices
from demo.ui.requests import NO_IMAGE, SEGMENT_QUEUE, ImageRequest, name_of, segment_request
from demo.ui.uploads import make_result_folder

Choice = tuple[str | None, str | None, str]
"""What files belong to: the photo's path, the variant and the framing."""


def build_take_away(choices: Choices) -> None:
    """Lay out and wire the files; another photo, variant or framing clears them."""
    with gr.Accordion("Take it away", open=False, elem_id="files"):
        gr.Markdown(
            "Class map and one mask per class as PNG, overlay, cut-out, areas as CSV and JSON, "
            "COCO annotations, and what made them: in one ZIP, laid out as CVAT's "
            '"Segmentation mask 1.1", and each on its own. They hold the whole result, whatever '
            "the viewer hides or calls unsure."
        )
        make_files = gr.Button("Make the files")
        files = gr.Files(label="Files", interactive=False)
    made = gr.State()
    make_files.click(
        on_files,
        [*choices],
        made,
        preprocess=False,
        show_progress_on=files,
        api_visibility="private",
        **SEGMENT_QUEUE,
    )
    made.change(
        on_files_made,
        [made, *choices],
        files,
        preprocess=False,
        queue=False,
        api_visibility="private",
    )
    gr.on(
        [choices.photo.change, choices.variant.input, choices.framing.input],
        None,
        None,
        files,
        js="() => null",
        api_visibility="private",
    )


def on_files(photo: ImageRequest, variant: str | None, framing: str) -> tuple[Choice, list[str]]:
    """Make all files from the photo and the choices on the page.

    Returns:
        The choices, and the paths of one ZIP with all files and of each file.
    """
    if photo is None:
        raise gr.Error(NO_IMAGE, print_exception=False)
    image, segmentation = segment_request(photo, variant, framing)
    made_of = _choice_of(photo, segmentation.variant.key, framing)
    files = build_files(image, segmentation, name_of(photo))
    folder = make_result_folder()
    alone = {name: content for name, content in files.items() if "/" not in name}
    for name, content in {"segmentation.zip": encode_zip(files), **alone}.items():
        (folder / name).write_bytes(content)
    paths = [str(folder / name) for name in ("segmentation.zip", *alone)]
    return made_of, paths


def on_files_made(
    made: tuple[Choice, list[str]] | None, photo: ImageRequest, variant: str | None, framing: str
) -> list[str] | None:
    """Offer the files, unless the choices on the page have changed meanwhile."""
    if made is None:
        return None
    made_of, paths = made
    chosen = _choice_of(photo, variant or made_of[1], framing)
    return paths if tuple(made_of) == chosen else None


def _choice_of(photo: ImageRequest, variant: str | None, framing: str) -> Choice:
    return (photo or {}).get("path"), variant, framing
