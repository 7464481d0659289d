"""Make videos of painted people with FFmpeg."""

from pathlib import Path
from typing import Any

import av
import numpy as np

from demo.classes import PALETTE


def write_video(
    file: Path,
    frames: int = 12,
    hw: tuple[int, int] = (120, 160),
    codec: str = "libx264",
    title: str = "",
) -> Path:
    """Write a video whose left quarter is person; in its second half, the left half is."""
    with av.open(str(file), "w") as container:
        container.metadata["title"] = title
        stream: Any = container.add_stream(codec, rate=10)
        stream.height, stream.width = hw
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            truth = np.zeros(hw, np.uint8)
            truth[:, : hw[1] // (4 if number < frames // 2 else 2)] = 15
            picture = av.VideoFrame.from_ndarray(PALETTE[truth], "rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return file
