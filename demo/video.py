"""Video files: segments every frame and writes it with its overlay; memory does not grow."""

import csv
import io
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from demo.areas import class_areas
from demo.classes import VOC, ClassSet
from demo.errors import InvalidVideo
from demo.image import Image
from demo.inference import segment
from demo.models.model import Model
from demo.overlay import draw_overlay
from demo.segmentation import Segmentation
from demo.video_frames import EXPECTED, Losses, VideoFrame, VideoReader, open_video

MAX_SECONDS = 120.0
MAX_BYTES = 200_000_000
MAX_FRAMES = 7_500

VIDEO_SIDE = 384
"""Side of the network's input."""

_BT709, _LIMITED_RANGE = 1, 1
"""FFmpeg's numbers of the result's colours."""


@dataclass(frozen=True)
class FrameAreas:
    """The areas in one frame of a video.

    Attributes:
        time_s: when it is shown, in seconds from the beginning of the video.
        done: fraction of the video that is done, in [0, 1].
        areas: class id -> fraction of the frame.
        announced_frames: how many frames the whole video has, as the file says; None if it does
            not.
    """

    time_s: float
    done: float
    areas: dict[int, float]
    announced_frames: int | None = None


Draw = Callable[[Image, Segmentation], Image]
"""Draws what the result shows of a frame, in the size of the frame."""


def segment_video(
    source: Path,
    target: Path,
    model: Model,
    losses: Losses | None = None,
    draw: Draw = draw_overlay,
) -> Generator[FrameAreas, None, None]:
    """Segment a video frame by frame and write it with its overlay, without sound.

    The result is complete when the iterator is at its end. If the iterator is closed before,
    the unfinished file is removed.

    Args:
        source: an mp4, webm or mov file.
        target: an mp4 file to write.
        model: a loaded variant.
        losses: written to: what could not be read of the source; complete at the end.
        draw: what to write of each frame instead of the overlay.

    Raises:
        InvalidVideo: if the source is no such video, or longer or larger than the limits above.
    """
    _check_file(source)
    is_complete = False
    try:
        with open_video(source, losses) as video:
            _check_length(video)
            yield from _convert(video, target, model.fast, draw)
        is_complete = True
    finally:
        if not is_complete:
            target.unlink(missing_ok=True)


def _check_file(source: Path) -> None:
    if not source.is_file():
        raise InvalidVideo("The video is no longer on the server. Choose it again.")
    if source.stat().st_size > MAX_BYTES:
        raise InvalidVideo(f"{EXPECTED} of at most {MAX_BYTES // 1_000_000} MB.")


def _check_length(video: VideoReader) -> None:
    if video.stream.frames > MAX_FRAMES:  # webm does not say
        raise InvalidVideo(
            f"The video has {video.stream.frames} frames. Cut it to at most {MAX_FRAMES} frames."
        )
    if video.duration_s is not None and video.duration_s > MAX_SECONDS + 1:
        raise InvalidVideo(
            f"The video lasts {video.duration_s:.0f} s. Cut it to at most {MAX_SECONDS:.0f} s."
        )


def _convert(video: VideoReader, target: Path, model: Model, draw: Draw) -> Iterator[FrameAreas]:
    with av.open(str(target), "w") as result:
        output: Any = None
        durations: dict[int | None, int] = {}
        for number, frame in enumerate(video.frames()):
            if frame.time_s > MAX_SECONDS + 1 or number >= MAX_FRAMES:
                raise InvalidVideo(
                    f"The video is too long. Cut it to {MAX_SECONDS:.0f} s and {MAX_FRAMES} frames."
                )
            segmentation = segment(frame.image, model, side=VIDEO_SIDE)
            if output is None:
                output = _add_stream(result, video.stream, frame)
            painted = _fit(draw(frame.image, segmentation), (output.height, output.width))
            durations[frame.pts] = frame.duration
            _write(result, output.encode(_to_encode(painted, frame)), durations)
            areas = {area.class_id: area.fraction for area in class_areas(segmentation)}
            yield FrameAreas(frame.time_s, frame.done, areas, video.stream.frames or None)
        if output is None:
            raise InvalidVideo(f"{EXPECTED}; this one has no frames.")
        _write(result, output.encode(None), durations)


def _to_encode(painted: Image, frame: VideoFrame) -> av.VideoFrame:
    """Prepare a picture for the encoder, with the time of its frame."""
    picture = av.VideoFrame.from_ndarray(painted, "rgb24")
    picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709")
    picture.pts, picture.time_base = frame.pts, frame.time_base
    return picture


def _write(result: Any, packets: list[Any], durations: dict[int | None, int]) -> None:
    """Write packets with the durations of their frames; the encoder would give each the mean."""
    for packet in packets:
        packet.duration = durations.pop(packet.pts, 0) or packet.duration
        result.mux(packet)


def _fit(image: Image, image_hw: tuple[int, int]) -> Image:
    """Scale an image into a size, between black bars: a video may change its size on the way."""
    if image.shape[:2] == image_hw:
        return image
    height, width = image_hw
    scale = min(height / image.shape[0], width / image.shape[1])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    fitted = np.zeros((height, width, 3), np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    fitted[top : top + size[1], left : left + size[0]] = resized
    return fitted


def _add_stream(result: Any, source: Any, first: VideoFrame) -> Any:
    """Add an H.264 stream with the colours of BT.709, which every browser plays.

    Its time base is that of the source, so that every frame keeps its time.
    """
    rate = source.average_rate or Fraction(25)
    # Without B-frames, frames are stored in the order of their times. With them, MP4 gives a video
    # with long pauses too short a duration.
    options = {"preset": "veryfast", "crf": "23", "bf": "0"}
    output = result.add_stream("libx264", rate=rate, options=options)
    output.height, output.width = first.image.shape[:2]
    output.pix_fmt = "yuv420p"
    codec = output.codec_context
    codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
    codec.color_range = _LIMITED_RANGE
    output.time_base = output.codec_context.time_base = first.time_base
    return output


def encode_video_csv(frames: list[FrameAreas], classes: ClassSet = VOC) -> bytes:
    """Write the time and the fraction of each class that occurs, one row a frame, as UTF-8 CSV."""
    ids = sorted({class_id for frame in frames for class_id in frame.areas})
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["time_s", *(classes.names[class_id] for class_id in ids)])
    for frame in frames:
        fractions = (f"{frame.areas.get(class_id, 0.0):.6f}" for class_id in ids)
        table.writerow([f"{frame.time_s:.3f}", *fractions])
    return file.getvalue().encode()
