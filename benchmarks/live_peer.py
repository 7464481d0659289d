"""Serve the peer of benchmarks.live: gr.Image streaming, the same engine, its best settings.

python -m benchmarks.live_peer PORT SIDE
"""

import sys

import gradio as gr
import numpy as np

from benchmarks.ours import load_bundled
from demo.inference import segment
from demo.overlay import draw_overlay


def main(port: int, side: int) -> None:
    """Serve one page with a streaming camera and its overlay."""
    model = load_bundled("xxs").fast

    def on_frame(frame: np.ndarray) -> np.ndarray:
        return draw_overlay(frame, segment(frame, model, side=side))

    size = {"width": 640, "height": 480}
    with gr.Blocks(analytics_enabled=False) as page:
        camera = gr.Image(
            sources=["webcam"],
            type="numpy",
            streaming=True,
            webcam_options=gr.WebcamOptions(mirror=False, constraints={"video": size}),
            elem_id="camera",
        )
        result = gr.Image(streaming=True, format="jpeg", elem_id="result")
        camera.stream(
            on_frame,
            camera,
            result,
            stream_every=0.02,
            time_limit=600,
            concurrency_limit=1,
            show_progress="hidden",
        )
    page.launch(server_port=port, quiet=True, ssr_mode=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
