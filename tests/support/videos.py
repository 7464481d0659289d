"""Make videos of painted people with FFmpeg."""

from fractions import Fraction
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


def join_streams(videos: list[Path], file: Path) -> Path:
    """Write the packets of H.264 videos into one stream; each brings its own headers."""
    with av.open(str(file), "w") as container:
        stream: Any = None
        number = 0
        for video in videos:
            with av.open(str(video)) as source:
                source_stream = source.streams.video[0]
                bitstream = av.BitStreamFilterContext("h264_mp4toannexb,dump_extra", source_stream)
                if stream is None:
                    stream = container.add_stream_from_template(source_stream)
                for packet in source.demux(source_stream):
                    for filtered in bitstream.filter(packet) if packet.size else []:
                        filtered.stream = stream
                        filtered.time_base = Fraction(1, 10)
                        filtered.pts = filtered.dts = number
                        number += 1
                        container.mux(filtered)
    return file
