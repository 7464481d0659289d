"""Reading a video: its frames upright, in SDR, at their own times, whatever is damaged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from numpy.typing import NDArray

from demo.errors import InvalidVideo
from demo.image import Image
from demo.tone_mapping import is_hdr, to_sdr

MAX_PIXELS = 4096 * 2304
"""Largest width × height of a frame."""

MAX_SIDE = 1280
"""Longest side of the frames given, in pixels; larger videos are scaled down."""

EXPECTED = "Expected an mp4, webm or mov video"

_UNMARKED = 2
"""FFmpeg's number of unmarked colours. Players show such a video of 720 lines or more as BT.709."""

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
"""FFmpeg's names of the readers for such videos."""

_MISSING_S = 0.5
"""How much shorter than announced a video may be before its end counts as missing."""


@dataclass
class Losses:
    """What could not be read of a video.

    Attributes:
        frames: number of damaged frames that were left out.
        missing_from_s: when the video ends before its announced end, or None.
    """

    frames: int = 0
    missing_from_s: float | None = None

    def sentences(self) -> list[str]:
        """Say what is missing, one sentence for each thing; empty if nothing is."""
        lost = f"{self.frames} damaged frames were left out." if self.frames > 1 else ""
        lost = "One damaged frame was left out." if self.frames == 1 else lost
        end = self.missing_from_s
        missing = "" if end is None else f"The video is cut off: it is missing from {end:.1f} s on."
        return [sentence for sentence in (lost, missing) if sentence]


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """One frame.

    Attributes:
        image: H×W×3 uint8 RGB with even sides of at most `MAX_SIDE`, as a person would see it.
        pts: when it is shown, in units of `time_base`, from the first frame on; None if the file
            does not say.
        duration: how long it is shown, in the same units; 0 if the file does not say.
        time_base: seconds of one unit.
        done: fraction of the video that lies before the frame, in [0, 1].
    """

    image: Image
    pts: int | None
    duration: int
    time_base: Fraction
    done: float

    @property
    def time_s(self) -> float:
        """When it is shown, in seconds from the first frame on."""
        return max(float((self.pts or 0) * self.time_base), 0.0)


@dataclass(eq=False)
class VideoReader:
    """An opened video; close it with `with`.

    Attributes:
        container: PyAV's container.
        stream: the moving picture in it.
        duration_s: announced length in seconds; None if the file does not say.
        losses: what could not be read so far.
    """

    container: Any
    stream: Any
    duration_s: float | None
    losses: Losses = field(default_factory=Losses)

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def frames(self) -> Iterator[VideoFrame]:
        """Decode the frames in order. Of several frames at one time, only the first is given.

        Raises:
            InvalidVideo: if time goes back, or a frame is too large or has unknown colours.
        """
        self.stream.thread_type = "AUTO"
        first = last = None
        shortest = None
        end_s = 0.0
        for frame, position in self._decode():
            _check_pixels(frame)
            if frame.pts is not None:
                first = frame.pts if first is None else first
                frame.pts -= first
                if last is not None and frame.pts < last:
                    raise InvalidVideo(f"{EXPECTED}; in this one, time goes back.")
                if frame.pts == last:
                    continue
                last = frame.pts
                if frame.duration:
                    shortest = min(frame.duration, shortest or frame.duration)
                    frame.duration = self._shown_for(frame, shortest)
                end_s = float((frame.pts + (frame.duration or 0)) * frame.time_base)
            done = self._fraction_done(frame, position)
            image = _to_image(frame, self.stream.sample_aspect_ratio or 1)
            yield VideoFrame(image, frame.pts, frame.duration or 0, frame.time_base, done)
        if self.duration_s is not None and self.duration_s - end_s > _MISSING_S:
            self.losses.missing_from_s = end_s

    def _shown_for(self, frame: Any, shortest: int) -> int:
        """Give how long a frame is shown: no longer than the video, and no shorter than any frame.

        Some files announce more for their last frame than the whole video lasts.
        """
        if self.duration_s is None:
            return int(frame.duration)
        left = round(self.duration_s / float(frame.time_base)) - int(frame.pts)
        return max(min(int(frame.duration), left), shortest)

    def _decode(self) -> Iterator[tuple[Any, int]]:
        """Give each frame that can be decoded, with its place in the file in bytes."""
        position = packets = frames = 0
        damaged = False
        for packet in self._packets():
            position = packet.pos or position
            packets += bool(packet.size) and not packet.is_discard
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                damaged = True
                continue
            for frame in decoded:
                if frame.is_corrupt:
                    damaged = True
                    continue
                frames += 1
                yield frame, position
        self.losses.frames = max(packets - frames, 0) if damaged else 0

    def _packets(self) -> Iterator[Any]:
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError):  # the file may end in the middle of a packet
                return
            yield packet

    def _fraction_done(self, frame: Any, position: int) -> float:
        if self.duration_s is not None:
            return min(float(frame.time or 0.0) / max(self.duration_s, 0.001), 1.0)
        return min(position / max(int(self.container.size), 1), 1.0)


def open_video(source: Path, losses: Losses | None = None) -> VideoReader:
    """Open a video and find its moving picture.

    Args:
        source: the file.
        losses: written to: what could not be read.

    Raises:
        InvalidVideo: if the file is no mp4, webm or mov video, or its frames are too large.
    """
    try:
        # FFmpeg guesses the format by content, and some formats can name other files.
        formats = {"format_whitelist": _FORMATS}
        container = av.open(str(source), options=formats, metadata_errors="ignore")
    except (av.FFmpegError, OSError) as error:
        raise InvalidVideo(f"{EXPECTED}; this file is none.") from error
    try:
        stream = _find_moving_picture(container)
        _check_pixels(stream)
        return VideoReader(container, stream, _announced_s(container, stream), losses or Losses())
    except BaseException:
        container.close()
        raise


def _find_moving_picture(container: Any) -> Any:
    """Find the first stream of video that is no cover picture."""
    covers = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    for stream in container.streams.video:
        if not stream.disposition & covers:
            return stream
    raise InvalidVideo(f"{EXPECTED}; this file shows no moving picture.")


def _announced_s(container: Any, stream: Any) -> float | None:
    """Read the length of the picture in seconds; a container's own length counts sound as well."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else float(container.duration / av.time_base)


def _check_pixels(picture: Any) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise InvalidVideo(
            f"The video is {picture.width}×{picture.height}. Scale it down to at most 4096×2304."
        )


def _to_image(frame: Any, pixel_aspect: Fraction | int) -> Image:
    """Convert a frame to an upright SDR image with square pixels."""
    try:
        rgb = _to_rgb(frame)
    except av.FFmpegError as error:
        raise InvalidVideo(f"{EXPECTED}; this one cannot be read to its end.") from error
    image, is_transposed = _upright(rgb, frame)
    height, width = image.shape[:2]
    if is_transposed:
        height *= pixel_aspect
    else:
        width *= pixel_aspect
    scale = min(1.0, MAX_SIDE / max(height, width))
    size = (max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2))
    resized = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    if is_hdr(frame.color_trc):
        return to_sdr(np.asarray(resized, np.uint16), frame.color_trc, frame.color_primaries)
    return np.asarray(resized, np.uint8)


def _to_rgb(frame: Any) -> NDArray[Any]:
    """Convert to H×W×3 RGB: uint16 for HDR, else uint8."""
    is_unmarked = frame.colorspace == _UNMARKED and frame.height >= 720
    rgb: NDArray[Any] = frame.to_ndarray(
        format="rgb48le" if is_hdr(frame.color_trc) else "rgb24",
        src_colorspace="ITU709" if is_unmarked else None,
    )
    return rgb


def _upright(rgb: NDArray[Any], frame: Any) -> tuple[NDArray[Any], bool]:
    """Turn and mirror an image as the frame's display matrix says; say whether it lay on its side.

    The matrix (a, b, …, c, d, …) sends a step to the right to (a, b) and a step down to (c, d).
    """
    data = frame.side_data.get(SideDataType.DISPLAYMATRIX)
    if data is None:
        return rgb, False
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    is_transposed = abs(b) > abs(a)
    image = rgb.transpose(1, 0, 2) if is_transposed else rgb
    right, down = (c, b) if is_transposed else (a, d)
    return image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1], is_transposed
