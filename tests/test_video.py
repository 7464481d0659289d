"""Videos of painted frames are segmented, encoded again and measured, or refused."""

import csv
import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from demo import video
from demo.classes import PALETTE
from demo.errors import InvalidVideo
from demo.models.model import Model
from demo.video import MAX_SIDE, encode_video_csv, segment_video
from tests.support.models import ColourEngine
from tests.support.videos import write_video


@pytest.mark.parametrize(
    ("ending", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9"), ("mov", "libx264")]
)
def test_every_frame_is_segmented_and_stays_at_its_time(
    model: Model, tmp_path: Path, ending: str, codec: str
) -> None:
    video = write_video(tmp_path / f"video.{ending}", codec=codec)
    frames = list(segment_video(video, tmp_path / "result.mp4", model))
    assert [round(frame.time_s, 2) for frame in frames] == [i / 10 for i in range(12)]
    assert frames[0].areas[15] == pytest.approx(0.25, abs=0.03)
    assert frames[-1].areas[15] == pytest.approx(0.5, abs=0.03)
    assert 0.8 < frames[-1].done <= 1
    with av.open(str(tmp_path / "result.mp4")) as result:
        shown = list(result.decode(video=0))
        assert len(shown) == 12 and (shown[0].height, shown[0].width) == (120, 160)
        assert [round(frame.time or 0, 2) for frame in shown] == [i / 10 for i in range(12)]


def test_times_count_from_the_first_frame(model: Model, tmp_path: Path) -> None:
    """The video is cut from the middle of another and has two frames at one time."""
    times = [300, 301, 301, 303]
    with av.open(str(tmp_path / "video.webm"), "w") as container:
        stream: Any = container.add_stream("libvpx-vp9", rate=10)
        stream.height, stream.width, stream.pix_fmt = 64, 64, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        packets = [packet for _ in times for packet in stream.encode(picture)]
        for number, packet in zip(times, [*packets, *stream.encode(None)], strict=True):
            packet.pts = packet.dts = number
            packet.time_base = Fraction(1, 10)
            container.mux(packet)
    frames = list(segment_video(tmp_path / "video.webm", tmp_path / "r.mp4", model))
    assert [round(frame.time_s, 2) for frame in frames] == [0, 0.1, 0.3]
    with av.open(str(tmp_path / "r.mp4")) as result:
        assert [round(frame.time or 0, 2) for frame in result.decode(video=0)] == [0, 0.1, 0.3]


TURNS = {
    "upright": ((1, 0, 0, 1), (0, 0)),
    "90": ((0, 1, -1, 0), (0, 1)),
    "180": ((-1, 0, 0, -1), (1, 1)),
    "270": ((0, -1, 1, 0), (1, 0)),
}


@pytest.mark.parametrize(("matrix", "corner"), TURNS.values(), ids=TURNS.keys())
def test_a_video_of_a_turned_phone_is_shown_upright(
    model: Model, tmp_path: Path, matrix: tuple[int, ...], corner: tuple[int, int]
) -> None:
    """The frame has a train in its top left corner and a matrix that turns it clockwise."""
    truth = np.zeros((96, 160), np.uint8)
    truth[:48, :80] = 19
    video = tmp_path / "video.mp4"
    with av.open(str(video), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 96, 160, "yuv420p"
        picture = av.VideoFrame.from_ndarray(PALETTE[truth], "rgb24")
        container.mux([*stream.encode(picture), *stream.encode(None)])
    content = video.read_bytes()
    start = content.index(b"tkhd") + 44  # after version, times, track, duration, layer and volume
    a, b, c, d = (value << 16 for value in matrix)
    turn = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    video.write_bytes(content[:start] + turn + content[start + len(turn) :])
    list(segment_video(video, tmp_path / "result.mp4", model))
    with av.open(str(tmp_path / "result.mp4")) as result:
        shown = next(result.decode(video=0)).to_ndarray(format="rgb24")
    assert shown.shape[:2] == ((160, 96) if matrix[0] == 0 else (96, 160))
    down, right = (length // 2 for length in shown.shape[:2])
    quarters = {
        (row, column): float(
            shown[row * down : (row + 1) * down, column * right : (column + 1) * right].mean()
        )
        for row in (0, 1)
        for column in (0, 1)
    }
    assert max(quarters, key=lambda quarter: quarters[quarter]) == corner


def test_pixels_that_are_not_square_become_square(model: Model, tmp_path: Path) -> None:
    """The video is 720 × 576 shown at 16:9, as from an old camcorder."""
    with av.open(str(tmp_path / "video.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 576, 720, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)
        picture = av.VideoFrame.from_ndarray(np.zeros((576, 720, 3), np.uint8), "rgb24")
        container.mux([*stream.encode(picture), *stream.encode(None)])
    list(segment_video(tmp_path / "video.mp4", tmp_path / "result.mp4", model))
    with av.open(str(tmp_path / "result.mp4")) as result:
        shown = result.streams.video[0]
        assert (shown.width, shown.height) == (1024, 576)


def test_a_large_video_is_scaled_down(model: Model, tmp_path: Path) -> None:
    video = write_video(tmp_path / "video.mp4", frames=2, hw=(362, 1602))
    list(segment_video(video, tmp_path / "result.mp4", model))
    with av.open(str(tmp_path / "result.mp4")) as result:
        assert result.streams.video[0].width == MAX_SIDE


@pytest.mark.parametrize("mark", [1, 2], ids=["marked", "unmarked"])
def test_colours_are_read_and_written_as_players_do(
    model: Model, tmp_path: Path, mark: int
) -> None:
    """A video in the colour of one class looks the same under its overlay."""
    colour = np.full((720, 1280, 3), PALETTE[18], np.uint8)
    with av.open(str(tmp_path / "video.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 720, 1280, "yuv420p"
        stream.codec_context.colorspace = mark
        picture = av.VideoFrame.from_ndarray(colour, "rgb24")
        picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709")
        container.mux([*stream.encode(picture), *stream.encode(None)])
    list(segment_video(tmp_path / "video.mp4", tmp_path / "result.mp4", model))
    with av.open(str(tmp_path / "result.mp4")) as result:
        (frame,) = result.decode(video=0)
        assert frame.colorspace == 1
        shown = frame.to_ndarray(format="rgb24").astype(int)
    assert np.abs(shown - colour).max() <= 4


def test_a_video_with_a_title_in_another_encoding_is_read(model: Model, tmp_path: Path) -> None:
    video = write_video(tmp_path / "video.mp4", title="un été")
    content = video.read_bytes()
    assert content.count("un été".encode()) == 1
    video.write_bytes(content.replace("un été".encode(), b"un \xe9t\xe9  "))
    assert len(list(segment_video(video, tmp_path / "result.mp4", model))) == 12


def test_a_cancelled_video_leaves_no_file(
    model: Model, engine: ColourEngine, tmp_path: Path
) -> None:
    frames = segment_video(write_video(tmp_path / "video.mp4"), tmp_path / "result.mp4", model)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert not (tmp_path / "result.mp4").exists() and engine.calls == 1


def cut(video: bytes) -> bytes:
    return video[: len(video) // 3]


@pytest.mark.parametrize(
    ("colourspace", "times", "sentence"),
    [(14, (0, 1, 2), "cannot be read to its end"), (1, (0, 2, 1), "time goes back")],
    ids=["unknown colours", "time goes back"],
)
def test_a_video_that_cannot_be_converted_is_refused(
    model: Model, tmp_path: Path, colourspace: int, times: tuple[int, ...], sentence: str
) -> None:
    with av.open(str(tmp_path / "video.mkv"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10, options={"bf": "0"})
        stream.height, stream.width, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.colorspace = colourspace
        pictures = [av.VideoFrame(64, 64, "yuv420p") for _ in times]
        packets = [p for picture in pictures for p in stream.encode(picture)]
        packets += stream.encode(None)
        for number, (packet, time) in enumerate(zip(packets, times, strict=True)):
            packet.dts, packet.pts = number, len(times) + time
            container.mux(packet)
    with pytest.raises(InvalidVideo, match=sentence):
        list(segment_video(tmp_path / "video.mkv", tmp_path / "result.mp4", model))


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "picture", "playlist of itself"])
def test_a_file_that_is_not_a_video_is_refused(model: Model, tmp_path: Path, kind: str) -> None:
    video = write_video(tmp_path / "video.mp4").read_bytes()
    photograph = Path("assets/examples/cat.jpg").read_bytes()
    content = {
        "empty": b"",
        "text": b"a video",
        "cut": cut(video),
        "picture": photograph,
        "playlist of itself": b"ffconcat version 1.0\nfile bad.mp4\n",
    }[kind]
    (tmp_path / "bad.mp4").write_bytes(content)
    with pytest.raises(InvalidVideo, match="Expected an mp4, webm or mov video"):
        list(segment_video(tmp_path / "bad.mp4", tmp_path / "result.mp4", model))
    assert not (tmp_path / "result.mp4").exists()


@pytest.mark.parametrize(
    ("limit", "value", "ending", "sentence"),
    [
        ("MAX_SECONDS", 0.1, "mp4", "Cut it to at most"),
        ("MAX_BYTES", 100, "mp4", "of at most"),
        ("MAX_FRAMES", 20, "mp4", "has 30 frames. Cut it to at most 20 frames"),
        ("MAX_FRAMES", 20, "webm", "too long. Cut it to 120 s and 20 frames"),
        ("MAX_PIXELS", 100, "mp4", "Scale it down"),
    ],
)
def test_a_video_that_is_too_long_or_too_large_is_refused(
    model: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: float,
    ending: str,
    sentence: str,
) -> None:
    monkeypatch.setattr(video, limit, value)
    codec = "libx264" if ending == "mp4" else "libvpx-vp9"
    source = write_video(tmp_path / f"video.{ending}", frames=30, codec=codec)
    with pytest.raises(InvalidVideo, match=sentence):
        list(segment_video(source, tmp_path / "result.mp4", model))


def test_a_missing_video_gives_a_sentence(model: Model, tmp_path: Path) -> None:
    with pytest.raises(InvalidVideo, match="Choose it again"):
        list(segment_video(tmp_path / "gone.mp4", tmp_path / "o.mp4", model))


def test_the_csv_has_a_row_for_each_frame(model: Model, tmp_path: Path) -> None:
    video = write_video(tmp_path / "video.mp4", frames=4)
    frames = list(segment_video(video, tmp_path / "result.mp4", model))
    rows = list(csv.DictReader(io.StringIO(encode_video_csv(frames).decode())))
    assert [row["time_s"] for row in rows] == ["0.000", "0.100", "0.200", "0.300"]
    assert float(rows[0]["person"]) + float(rows[0]["background"]) == pytest.approx(1, abs=0.01)
