"""Videos of painted frames are segmented, encoded again and measured, or refused."""

import csv
import dataclasses
import io
import shutil
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from demo import video, video_frames
from demo.classes import PALETTE
from demo.errors import InvalidVideo
from demo.models.model import Model
from demo.video import encode_video_csv, segment_video
from demo.video_frames import MAX_SIDE, Losses, open_video
from tests.support import ROOT
from tests.support.models import ColourEngine
from tests.support.videos import join_streams, write_video


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


def test_a_video_is_segmented_in_bf16_where_it_can_be_had(model: Model, tmp_path: Path) -> None:
    fast = ColourEngine()
    both = dataclasses.replace(model, bf16_engine=fast)
    video = write_video(tmp_path / "video.mp4")
    frames = list(segment_video(video, tmp_path / "result.mp4", both))
    assert fast.calls == len(frames) == 12


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


CASES = ROOT / "tests" / "cases"

TURNS = {
    "upright": ((1, 0, 0, 1), (0, 0)),
    "90": ((0, 1, -1, 0), (0, 1)),
    "180": ((-1, 0, 0, -1), (1, 1)),
    "270": ((0, -1, 1, 0), (1, 0)),
}


def with_matrix(video: Path, target: Path, matrix: tuple[int, ...]) -> Path:
    """Copy an mp4 with another display matrix."""
    content = video.read_bytes()
    start = content.index(b"tkhd") + 44  # after version, times, track, duration, layer and volume
    a, b, c, d = (value << 16 for value in matrix)
    turn = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    target.write_bytes(content[:start] + turn + content[start + len(turn) :])
    return target


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
    with_matrix(video, video, matrix)
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
    frames.close()
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
    monkeypatch.setattr(video_frames if limit == "MAX_PIXELS" else video, limit, value)
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


def write_times(file: Path, times: list[int], rate: int = 100, bf: int = 0) -> Path:
    """A video whose frames are shown at these times, in units of 1 / rate seconds."""
    with av.open(str(file), "w") as container:
        codec = "libvpx-vp9" if file.suffix == ".webm" else "libx264"
        options = {} if file.suffix == ".webm" else {"bf": str(bf)}
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, rate)
        for number, time in enumerate(times):
            picture = av.VideoFrame.from_ndarray(
                np.full((96, 128, 3), 10 * number % 256, np.uint8), "rgb24"
            )
            picture.pts, picture.time_base = time, Fraction(1, rate)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return file


PAUSES = [0, 3, 7, 10, 150, 152, 400, 403, 990]


@pytest.mark.parametrize("bf", [0, 3], ids=["in order", "with B-frames"])
@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_pauses_keep_their_times(model: Model, tmp_path: Path, ending: str, bf: int) -> None:
    source = write_times(tmp_path / f"video.{ending}", PAUSES, bf=bf)
    frames = list(segment_video(source, tmp_path / "result.mp4", model))
    expected = [time / 100 for time in PAUSES]
    assert [frame.time_s for frame in frames] == pytest.approx(expected, abs=0.001)
    with av.open(str(tmp_path / "result.mp4")) as result:
        stream = result.streams.video[0]
        assert stream.duration and stream.time_base
        assert 9.9 <= stream.duration * stream.time_base < 9.95
        shown = [frame.time for frame in result.decode(stream)]
        assert shown == pytest.approx(expected, abs=0.001)


MIRRORS = {
    "hflip": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "vflip": ((1, 0, 0, -1), lambda image: image[::-1]),
    "transpose": ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
    "antitranspose": ((0, -1, -1, 0), lambda image: image.transpose(1, 0, 2)[::-1, ::-1]),
}


@pytest.mark.parametrize(("matrix", "mirror"), MIRRORS.values(), ids=MIRRORS)
def test_mirrored_videos_are_shown_mirrored(
    tmp_path: Path,
    matrix: tuple[int, int, int, int],
    mirror: Callable[[np.ndarray], np.ndarray],
) -> None:
    plain = write_video(tmp_path / "plain.mp4", frames=1)
    mirrored = with_matrix(plain, tmp_path / "mirrored.mp4", matrix)
    with open_video(plain) as one, open_video(mirrored) as other:
        (before,), (after,) = list(one.frames()), list(other.frames())
    assert (after.image == mirror(before.image)).all()


def test_a_cover_picture_is_no_video(model: Model, tmp_path: Path) -> None:
    shutil.copy(CASES / "song_cover.mp4", tmp_path / "song.mp4")
    with pytest.raises(InvalidVideo, match="shows no moving picture"):
        list(segment_video(tmp_path / "song.mp4", tmp_path / "result.mp4", model))


@pytest.mark.parametrize("name", ["hlg.mov", "pq.mp4"])
def test_hdr_videos_look_like_the_sdr_one(name: str) -> None:
    with open_video(CASES / "sdr.mp4") as one, open_video(CASES / name) as other:
        sdr, hdr = next(one.frames()).image, next(other.frames()).image
    assert np.abs(sdr.astype(float) - hdr).mean() < 12
    assert hdr[sdr.min(axis=2) >= 250].min() >= 235


def test_a_size_that_changes_is_no_stretch(model: Model, tmp_path: Path) -> None:
    """Two videos of other shapes, one after the other in one stream."""
    file = tmp_path / "video.mkv"
    tall = write_video(tmp_path / "tall.mp4", frames=2, hw=(160, 80))
    wide = write_video(tmp_path / "wide.mp4", frames=2, hw=(80, 160))
    join_streams([wide, tall], file)
    list(segment_video(file, tmp_path / "result.mp4", model))
    with av.open(str(tmp_path / "result.mp4")) as result:
        shown = [frame.to_ndarray(format="rgb24") for frame in result.decode(video=0)]
    assert {image.shape for image in shown} == {(80, 160, 3)}
    assert shown[0][:, :10].mean() > 20  # the wide one fills the picture
    assert shown[-1][:, :50].max() < 20 and shown[-1][:, -50:].max() < 20  # the tall one does not


def test_a_file_that_is_cut_off_gives_what_is_there(model: Model, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.webm", frames=60, codec="libvpx-vp9").read_bytes()
    (tmp_path / "cut.webm").write_bytes(whole[: len(whole) // 2])
    losses = Losses()
    frames = list(segment_video(tmp_path / "cut.webm", tmp_path / "r.mp4", model, losses))
    assert 5 < len(frames) < 55
    end = (len(frames)) / 10
    assert losses.missing_from_s == pytest.approx(end, abs=0.11)
    assert f"missing from {losses.missing_from_s:.1f} s on" in losses.sentences()[0]


def test_a_damaged_packet_costs_its_frames_only(model: Model, tmp_path: Path) -> None:
    source = write_video(tmp_path / "video.webm", frames=40, codec="libvpx-vp9")
    with av.open(str(source)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    content = bytearray(source.read_bytes())
    at = content.index(bytes(packets[20]))
    content[at : at + packets[20].size] = b"\xff" * packets[20].size
    source.write_bytes(content)
    losses = Losses()
    frames = list(segment_video(source, tmp_path / "result.mp4", model, losses))
    assert len(frames) + losses.frames == 40 and 1 <= losses.frames <= 20
    assert losses.missing_from_s is None
    assert "left out" in losses.sentences()[0]


def test_progress_reaches_the_end_without_an_announced_duration(
    model: Model, tmp_path: Path
) -> None:
    """As a browser records it: a webm whose header does not say how long it is."""
    content = bytearray(
        write_video(tmp_path / "video.webm", frames=40, codec="libvpx-vp9").read_bytes()
    )
    at = content.index(b"\x44\x89\x88")  # the element Duration, a double
    content[at : at + 11] = b"\xec\x89" + bytes(9)  # an element that readers skip
    (tmp_path / "live.webm").write_bytes(content)
    done = [f.done for f in segment_video(tmp_path / "live.webm", tmp_path / "r.mp4", model)]
    assert len(done) == 40 and done == sorted(done) and done[-1] > 0.85
