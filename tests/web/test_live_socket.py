"""The socket of the live view, driven by a client that is not a browser."""

import json
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession

from demo.models.model import Model
from demo.models.registry import Registry
from demo.web import live_socket
from demo.web.live_socket import live_route
from demo.web.places import LiveSessions
from tests.support.images import encode_frame, half_a_person
from tests.support.models import FAKE_WEIGHTS, ColourEngine


@pytest.fixture
def client(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(live_socket, "default_registry", lambda: registry)
    monkeypatch.setattr(live_socket, "sessions", LiveSessions(3, 60))
    with TestClient(Starlette(routes=[live_route()])) as client:
        yield client


def frame() -> bytes:
    return encode_frame(half_a_person())


def read(message: bytes) -> tuple[dict[str, Any], np.ndarray]:
    (length,) = struct.unpack("<I", message[:4])
    header = json.loads(message[4 : 4 + length])
    logits = np.frombuffer(message[4 + length :], "<f2")
    return header, logits.reshape(len(header["classes"]), *header["grid"])


def expect_end(socket: WebSocketTestSession, code: int, sentence: str) -> None:
    assert sentence in socket.receive_json()["error"]
    closing = socket.receive()
    assert closing["type"] == "websocket.close" and closing["code"] == code


def test_each_frame_is_answered_with_its_logits(client: TestClient, engine: ColourEngine) -> None:
    with client.websocket_connect("/live") as socket:
        assert socket.receive_json()["ready"] == "MobileViT-XXS"
        for _ in range(2):
            socket.send_bytes(frame())
            header, logits = read(socket.receive_bytes())
            assert {0, 15} <= set(header["classes"])
            assert dict(map(tuple, header["areas"]))[15] == pytest.approx(0.5, abs=0.02)
        alone = engine(np.zeros((1, 3, 256, 256), np.float32))
        assert logits.shape[1:] == alone.shape[2:]
        socket.send_json({"smoothing": 0.5})
        socket.send_bytes(frame())
        assert read(socket.receive_bytes())[0]["flicker"] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("query", "label"), [("", "MobileViT-XXS"), ("?variant=xs", "MobileViT-XS")]
)
def test_the_address_chooses_the_variant(client: TestClient, query: str, label: str) -> None:
    with client.websocket_connect(f"/live{query}") as socket:
        assert socket.receive_json()["ready"] == label


@pytest.mark.parametrize(("query", "precision"), [("", "bf16"), ("?precision=f32", "f32")])
def test_the_address_chooses_the_precision(
    monkeypatch: pytest.MonkeyPatch, client: TestClient, query: str, precision: str
) -> None:
    fast = ColourEngine()
    fast.precision = "bf16"
    both = Registry(lambda variant, _: Model(variant, ColourEngine(), FAKE_WEIGHTS, fast))
    monkeypatch.setattr(live_socket, "default_registry", lambda: both)
    with client.websocket_connect(f"/live{query}") as socket:
        ready = socket.receive_json()
        assert (ready["precision"], ready["has_bf16"]) == (precision, True)
        socket.send_bytes(frame())
        socket.receive_bytes()
    assert fast.calls == (precision == "bf16")


def test_an_unknown_precision_is_a_sentence(client: TestClient) -> None:
    with client.websocket_connect("/live?precision=int8") as socket:
        expect_end(socket, 1003, "Unknown precision 'int8'. Choose auto or f32.")


def test_an_unknown_variant_is_a_sentence(client: TestClient) -> None:
    with client.websocket_connect("/live?variant=m") as socket:
        expect_end(socket, 1003, "Unknown variant 'm'. Choose xxs, xs or s.")


GARBAGE = {
    "nothing": ("bytes", b"", 1003, "Expected a square baseline JPEG"),
    "no jpeg": ("bytes", b"xyz", 1003, "Expected a square baseline JPEG"),
    "other side": ("bytes", encode_frame(np.zeros((128, 128, 3), np.uint8)), 1003, "side 256"),
    "no json": ("text", "{", 1003, "as JSON"),
    "deep json": ("text", "[" * 100_000, 1003, "as JSON"),
    "other json": ("text", "[1]", 1003, "as JSON"),
    "out of range": ("text", '{"smoothing": 7}', 1003, "Choose 0 to 0.95"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_ends_that_session_and_no_other(client: TestClient, name: str) -> None:
    kind, message, code, sentence = GARBAGE[name]
    with client.websocket_connect("/live") as good, client.websocket_connect("/live") as bad:
        good.receive_json()
        bad.receive_json()
        bad.send({"type": "websocket.receive", kind: message})
        expect_end(bad, code, sentence)
        good.send_bytes(frame())
        assert {0, 15} <= set(read(good.receive_bytes())[0]["classes"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=400)))
def test_whatever_comes_is_answered_or_ends_that_session(
    client: TestClient, message: str | bytes
) -> None:
    kind = "text" if isinstance(message, str) else "bytes"
    with client.websocket_connect("/live") as socket:
        socket.receive_json()
        socket.send({"type": "websocket.receive", kind: message})
        socket.send_bytes(frame())
        answer = socket.receive()
        if answer.get("text") is not None:
            assert json.loads(answer["text"])["error"].endswith(".")
            assert socket.receive()["code"] in (1003, 1008)
        else:
            assert {0, 15} <= set(read(answer["bytes"])[0]["classes"])


def test_a_full_server_says_how_long_to_wait(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_socket, "sessions", LiveSessions(1, 60))
    with client.websocket_connect("/live") as one:
        one.receive_json()
        with client.websocket_connect("/live") as two:
            expect_end(two, 1013, "All 1 live places are taken. Try again in")
    with client.websocket_connect("/live") as two:
        assert "ready" in two.receive_json()


@pytest.mark.parametrize(
    ("idle_s", "longest_s", "sentence"),
    [(0.2, 60.0, "No frame has come"), (60.0, 0.2, "minutes are over")],
    ids=["idle", "too long"],
)
@pytest.mark.parametrize("talks", [False, True], ids=["silent", "words without frames"])
def test_a_forgotten_session_is_ended(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    idle_s: float,
    longest_s: float,
    sentence: str,
    talks: bool,
) -> None:
    monkeypatch.setattr(live_socket, "IDLE_S", idle_s)
    monkeypatch.setattr(live_socket, "sessions", LiveSessions(1, longest_s))
    is_over = threading.Event()
    with client.websocket_connect("/live") as socket:
        socket.receive_json()

        def talk() -> None:
            until = time.monotonic() + 10
            while not is_over.wait(0.001) and time.monotonic() < until:
                socket.send_json({"smoothing": 0.5})

        talking = threading.Thread(target=talk)
        if talks:
            talking.start()
        expect_end(socket, 1000, sentence)
        assert talking.is_alive() == talks
        is_over.set()
        if talks:
            talking.join()


def test_a_second_frame_in_flight_ends_the_session(
    client: TestClient, engine: ColourEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    plain = ColourEngine.__call__

    def slow(self: ColourEngine, values: np.ndarray) -> np.ndarray:
        go_on.wait(10)
        return plain(self, values)

    monkeypatch.setattr(ColourEngine, "__call__", slow)
    with client.websocket_connect("/live") as socket:
        socket.receive_json()
        socket.send_bytes(frame())
        socket.send_bytes(frame())
        threading.Timer(0.3, go_on.set).start()
        expect_end(socket, 1008, "one frame at a time")


@pytest.mark.parametrize(
    ("origin", "is_served"),
    [("http://testserver", True), ("https://elsewhere.example", False), ("null", False)],
)
def test_other_pages_may_not_use_the_socket(
    client: TestClient, origin: str, is_served: bool
) -> None:
    with client.websocket_connect("/live", headers={"origin": origin}) as socket:
        if is_served:
            assert "ready" in socket.receive_json()
        else:
            expect_end(socket, 1008, "its own page only")
