"""Video files: segments every frame and writes it with its overlay; memory does not grow."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from demo.areas import class_areas
from demo.classes import CLASS_NAMES
from demo.errors import InvalidVideo
from demo.image import Image
from demo.inference import segment
from demo.models.model import Model
from demo.overlay import draw_overlay

MAX_SECONDS = 120.0
MAX_BYTES = 200_000_000
MAX_FRAMES = 7_500
MAX_PIXELS = 4096 * 2304
"""Largest width × height of a frame."""

MAX_SIDE = 1280
"""Longest side of the result in pixels; larger videos are scaled down."""

VIDEO_SIDE = 384
"""Side of the network's input."""

_BT709, _UNMARKED = 1, 2
_LIMITED_RANGE = 1
"""FFmpeg's numbers. Players take an unmarked video of 720 lines and more for BT.709."""

_EXPECTED = "Expected an mp4, webm or mov video"
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
"""FFmpeg's names of the readers for such videos."""


@dataclass(frozen=True)
class FrameAreas:
    """The areas in one frame of a video.

    Attributes:
        time_s: when it is shown, in seconds from the beginning of the video.
        done: fraction of the video that is done, in [0, 1].
        areas: class id -> fraction of the frame.
    """

    time_s: float
    done: float
    areas: dict[int, float]


def segment_video(source: Path, target: Path, model: Model) -> Iterator[FrameAreas]:
    """Segment a video frame by frame and write it with its overlay, without sound.

    The result is complete when the iterator is at its end. If the iterator is closed before,
    the unfinished file is removed.

    Args:
        source: an mp4, webm or mov file.
        target: an mp4 file to write.
        model: a loaded variant.

    Raises:
        InvalidVideo: if the source is no such video, or longer or larger than the limits above.
    """
    is_complete = False
    try:
        with _open(source) as video:
            duration_s = _check(video)
            yield from _convert(video, target, duration_s, model)
        is_complete = True
    finally:
        if not is_complete:
            target.unlink(missing_ok=True)


def _open(source: Path) -> "av.container.InputContainer":
    if not source.is_file():
        raise InvalidVideo("The video is no longer on the server. Choose it again.")
    if source.stat().st_size > MAX_BYTES:
        raise InvalidVideo(f"{_EXPECTED} of at most {MAX_BYTES // 1_000_000} MB.")
    try:
        # FFmpeg guesses the format by content, and some formats can name other files.
        formats = {"format_whitelist": _FORMATS}
        return av.open(str(source), options=formats, metadata_errors="ignore")
    except (av.FFmpegError, OSError) as error:
        raise InvalidVideo(f"{_EXPECTED}; this file is none.") from error


def _check(video: "av.container.InputContainer") -> float:
    """Check a video against the limits; returns its length in seconds."""
    if not video.streams.video:
        raise InvalidVideo(f"{_EXPECTED}; this file shows no moving picture.")
    stream = video.streams.video[0]
    _check_pixels(stream)
    if stream.frames > MAX_FRAMES:  # webm does not say
        raise InvalidVideo(
            f"The video has {stream.frames} frames. Cut it to at most {MAX_FRAMES} frames."
        )
    if video.duration is not None:
        duration_s = video.duration / av.time_base
    elif stream.duration is not None and stream.time_base is not None:
        duration_s = float(stream.duration * stream.time_base)
    else:
        duration_s = MAX_SECONDS
    if duration_s > MAX_SECONDS + 1:
        raise InvalidVideo(
            f"The video lasts {duration_s:.0f} s. Cut it to at most {MAX_SECONDS:.0f} s."
        )
    return max(duration_s, 0.001)


def _check_pixels(picture: Any) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise InvalidVideo(
            f"The video is {picture.width}×{picture.height}. Scale it down to at most 4096×2304."
        )


def _convert(
    video: "av.container.InputContainer", target: Path, duration_s: float, model: Model
) -> Iterator[FrameAreas]:
    stream = video.streams.video[0]
    stream.thread_type = "AUTO"
    with av.open(str(target), "w") as result:
        output: Any = None
        for number, (frame, image) in enumerate(_decode(video, stream)):
            time_s = max(float(frame.time or 0.0), 0.0)
            if time_s > MAX_SECONDS + 1 or number >= MAX_FRAMES:
                raise InvalidVideo(
                    f"The video is too long. Cut it to {MAX_SECONDS:.0f} s and {MAX_FRAMES} frames."
                )
            segmentation = segment(image, model, side=VIDEO_SIDE)
            if output is None:
                output = _add_stream(result, stream, image)
            painted = av.VideoFrame.from_ndarray(draw_overlay(image, segmentation), "rgb24")
            painted = painted.reformat(format="yuv420p", dst_colorspace="ITU709")
            painted.pts, painted.time_base = frame.pts, frame.time_base
            result.mux(output.encode(painted))
            areas = {area.class_id: area.fraction for area in class_areas(segmentation)}
            yield FrameAreas(time_s, min(time_s / duration_s, 1.0), areas)
        if output is None:
            raise InvalidVideo(f"{_EXPECTED}; this one has no frames.")
        result.mux(output.encode(None))


def _decode(video: "av.container.InputContainer", stream: Any) -> Iterator[tuple[Any, Image]]:
    """Decode the frames, from time 0 on, and their images.

    Of several frames at one time, only the first is given.
    """
    first = last = None
    try:
        for frame in video.decode(stream):
            _check_pixels(frame)
            if frame.pts is not None:
                first = frame.pts if first is None else first
                frame.pts -= first
                if last is not None and frame.pts < last:
                    raise InvalidVideo(f"{_EXPECTED}; in this one, time goes back.")
                if frame.pts == last:
                    continue
                last = frame.pts
            yield frame, _upright(frame, stream.sample_aspect_ratio or 1)
    except av.FFmpegError as error:
        raise InvalidVideo(f"{_EXPECTED}; this one cannot be read to its end.") from error


def _upright(frame: Any, pixel_aspect: Fraction | int) -> Image:
    """Convert a frame to H×W×3 uint8 RGB, upright, with even sides of at most `MAX_SIDE`."""
    is_unmarked = frame.colorspace == _UNMARKED and frame.height >= 720
    rgb = frame.to_ndarray(format="rgb24", src_colorspace="ITU709" if is_unmarked else None)
    turns = round(frame.rotation / 90) % 4
    image = np.rot90(rgb, turns)
    height, width = image.shape[:2]
    if turns % 2:
        height *= pixel_aspect
    else:
        width *= pixel_aspect
    scale = min(1.0, MAX_SIDE / max(height, width))
    size = (max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2))
    resized = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


def _add_stream(result: Any, stream: Any, image: Image) -> Any:
    """Add an H.264 stream with the colours of BT.709, which every browser plays.

    Its time base is that of the source, so that every frame keeps its time.
    """
    rate = stream.average_rate or Fraction(25)
    output = result.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "23"})
    output.height, output.width = image.shape[:2]
    output.pix_fmt = "yuv420p"
    codec = output.codec_context
    codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
    codec.color_range = _LIMITED_RANGE
    output.time_base = output.codec_context.time_base = stream.time_base
    return output


def encode_video_csv(frames: list[FrameAreas]) -> bytes:
    """Write the time and the fraction of each class that occurs, one row a frame, as UTF-8 CSV."""
    ids = sorted({class_id for frame in frames for class_id in frame.areas})
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["time_s", *(CLASS_NAMES[class_id] for class_id in ids)])
    for frame in frames:
        fractions = (f"{frame.areas.get(class_id, 0.0):.6f}" for class_id in ids)
        table.writerow([f"{frame.time_s:.3f}", *fractions])
    return file.getvalue().encode()
