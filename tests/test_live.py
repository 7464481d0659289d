"""Live sessions: from a frame to smoothed logits, and the frames that are refused."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.errors import InvalidImage, InvalidOption
from demo.live import MAX_FRAME_BYTES, LiveSession, decode_frame
from tests.support.images import encode_frame, half_a_person
from tests.support.models import ColourEngine


def test_a_frame_gives_its_classes_and_areas(engine: ColourEngine) -> None:
    result = LiveSession(engine).answer(encode_frame(half_a_person()))
    assert {0, 15} <= set(result.class_ids)
    assert result.logits.shape == (len(result.class_ids), 16, 16)
    assert sum(result.areas.values()) == pytest.approx(1)
    assert result.areas[15] == pytest.approx(0.5, abs=0.02)
    assert result.flicker is None


def test_smoothing_reduces_flicker(engine: ColourEngine) -> None:
    session = LiveSession(engine)
    session.set_smoothing(0.9)
    still, moved = encode_frame(half_a_person()), encode_frame(half_a_person(column=112))
    for _ in range(5):
        session.answer(still)
    result = session.answer(moved)
    assert result.flicker is not None
    before, after = result.flicker
    assert before == pytest.approx(16 / 256, abs=0.01) and after < before / 4


def test_without_smoothing_a_frame_does_not_depend_on_the_one_before(engine: ColourEngine) -> None:
    session = LiveSession(engine)
    session.answer(encode_frame(half_a_person(column=32)))
    jpeg = encode_frame(half_a_person(column=160))
    assert (session.answer(jpeg).logits == LiveSession(engine).answer(jpeg).logits).all()


@pytest.mark.parametrize(
    "second", [half_a_person(384), np.full((256, 256, 3), 255, np.uint8)], ids=["size", "scene"]
)
def test_a_new_size_or_scene_restarts_the_smoothing(
    engine: ColourEngine, second: np.ndarray
) -> None:
    session = LiveSession(engine)
    session.set_smoothing(0.95)
    session.answer(encode_frame(half_a_person()))
    result = session.answer(encode_frame(second))
    fresh = LiveSession(engine).answer(encode_frame(second))
    assert result.flicker is None and (result.logits == fresh.logits).all()


@pytest.mark.parametrize("smoothing", [-0.1, 0.96, float("nan"), True, "0.5", None], ids=repr)
def test_smoothing_outside_its_range_is_refused(engine: ColourEngine, smoothing: object) -> None:
    with pytest.raises(InvalidOption, match=r"Choose 0 to 0\.95"):
        LiveSession(engine).set_smoothing(smoothing)


BAD_FRAMES = {
    "empty": b"",
    "text": b"GET / HTTP/1.1",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "another side": encode_frame(np.zeros((300, 300, 3), np.uint8)),
    "progressive": encode_frame(half_a_person(), progressive=True),
    "not square": encode_frame(np.zeros((256, 384, 3), np.uint8)),
    "cut in the header": encode_frame(half_a_person())[:100],
    "too many bytes": encode_frame(half_a_person()) + bytes(MAX_FRAME_BYTES),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_a_file_that_is_not_a_live_frame_is_refused(name: str) -> None:
    with pytest.raises(InvalidImage, match="Expected a square baseline JPEG of side 256, 384, 512"):
        decode_frame(BAD_FRAMES[name])


def test_a_second_header_cannot_hide_the_real_size() -> None:
    """Decoders skip fill bytes, so a header of 20000×20000 could hide behind one of 256×256."""
    large = encode_frame(np.zeros((16, 16, 3), np.uint8))
    start = large.index(b"\xff\xc0")
    bomb = bytearray(large)
    bomb[start + 5 : start + 9] = struct.pack(">HH", 20_000, 20_000)
    shown = b"\xff\xc0" + struct.pack(">HBHH", 8, 8, 256, 256) + b"\x01"
    for filler in (b"\xff\xff", b"\xff", b"\xff\x01", b"\xff\xd0", b"\x00", b"\xff\xd8"):
        for frame in (
            bytes(bomb[:start]) + filler + bytes(bomb[start:]),
            bytes(bomb[:2]) + shown + filler + bytes(bomb[2:]),
            bytes(bomb[:2]) + filler + shown + bytes(bomb[2:]),
        ):
            with pytest.raises(InvalidImage):
                decode_frame(frame)


@given(st.binary(max_size=400), st.integers(0, 600))
def test_random_bytes_are_decoded_or_refused(garbage: bytes, at: int) -> None:
    whole = encode_frame(half_a_person())
    for frame in (garbage, b"\xff\xd8" + garbage, whole[:at] + garbage + whole[at:]):
        try:
            assert decode_frame(frame).shape[2] == 3
        except InvalidImage:
            continue
