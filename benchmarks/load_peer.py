"""Serve the plain app of benchmarks.load: transformers behind gr.Interface, default settings."""

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import transformers_path
from demo.classes import PALETTE

segment = transformers_path("xxs")


def paint(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blend the classes over the image."""
    colours = PALETTE[np.asarray(segment(image), np.uint8)]
    blended: NDArray[np.uint8] = (0.4 * image + 0.6 * colours).astype(np.uint8)
    return blended


if __name__ == "__main__":
    gr.Interface(paint, gr.Image(), gr.Image(), api_name="segment").launch()
