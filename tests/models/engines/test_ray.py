"""The engine on other machines, against stand-ins; tests/cluster has real replicas."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.errors import Busy, InvalidOption, WeightsUnavailable
from demo.framing import to_pixel_values
from demo.models.checkpoint import Checkpoint, NoWeights, WeightsSource
from demo.models.engines import ray
from demo.models.engines.contract import Engine, on_wait
from demo.models.engines.ray import WAITING, Cluster, RayEngine, connect
from demo.models.engines.wire import (
    PRECISION,
    SHAPE,
    WEIGHTS,
    decode_logits,
    decode_pixels,
    encode_logits,
    encode_pixels,
)
from demo.variants import get_variant
from tests.support.server import free_port, run_server

XXS = get_variant("xxs")
SHA = "a" * 64
CHECKPOINT = Checkpoint(Path(), WeightsSource("local", "test", "1"), SHA)
PIXELS = np.random.default_rng(1).integers(0, 256, (64, 32, 3), np.uint8)
VALUES = to_pixel_values(PIXELS)
LOGITS = np.arange(21 * 4 * 2, dtype=np.float32).reshape(1, 21, 4, 2)

DROP = -1


class Replicas(ThreadingHTTPServer):
    """Answers POST with one scripted status after the other, and with logits after the last.

    Attributes:
        statuses: still to come; `DROP` breaks the connection.
        asked: the body of each POST.
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.statuses: list[int] = []
        self.weights = SHA
        self.asked: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Replicas

    def do_GET(self) -> None:
        known = self.path == "/xxs"
        answer = {"weights": self.server.weights, "precisions": ["f32", "bf16"]}
        self.reply(200 if known else 404, json.dumps(answer).encode())

    def do_POST(self) -> None:
        self.server.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.headers.append(dict(self.headers))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == DROP:
            self.close_connection = True
            return
        shape, body = encode_logits(LOGITS)
        self.reply(status, body if status == 200 else b"no", shape)

    def reply(self, status: int, body: bytes, shape: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header(SHAPE, shape)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def replicas() -> Iterator[Replicas]:
    with running(Replicas()) as server:
        yield server


@contextmanager
def running(server: Replicas) -> Iterator[Replicas]:
    try:
        yield server
    finally:
        server.end()


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "PATIENCE_S", 0.3)
    monkeypatch.setattr(ray, "RETRY_S", 0.2)
    monkeypatch.setattr(ray, "_PAUSE_S", 0.05)
    monkeypatch.setattr(ray, "_SETTLE_S", 0.05)


class LocalEngine:
    precision = "f32"

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        return LOGITS + 1


def engine_at(*addresses: str, local: Callable[[], Engine] | None = None) -> RayEngine:
    return connect(addresses, CHECKPOINT, XXS, lambda fraction, sentence: None, local)[0]


def test_pixels_travel_as_bytes_and_arrive_as_the_same_values() -> None:
    every = np.arange(256, dtype=np.uint8).repeat(12).reshape(32, 32, 3)
    shape, body = encode_pixels(to_pixel_values(every))
    assert (shape, len(body)) == ("32,32,3", every.nbytes)
    assert np.array_equal(decode_pixels(shape, body), to_pixel_values(every))
    assert np.array_equal(decode_logits(*encode_logits(LOGITS)), LOGITS)


@pytest.mark.parametrize("shape", ["", "1", "64,32", "64,32,4", "-1,32,3", "64,32,3,", "0,0,3"])
def test_pixels_of_another_shape_are_refused(shape: str) -> None:
    with pytest.raises(InvalidOption, match="Expected"):
        decode_pixels(shape, PIXELS.tobytes())


def test_a_call_is_one_request_that_names_weights_and_precision(replicas: Replicas) -> None:
    f32, bf16 = connect((replicas.address,), CHECKPOINT, XXS, lambda f, s: None, None)
    assert np.array_equal(f32(VALUES), LOGITS)
    assert replicas.asked == [PIXELS[..., ::-1].tobytes()]
    assert bf16 is not None and bf16.precision == "bf16"
    bf16(VALUES)
    assert [headers[PRECISION] for headers in replicas.headers] == ["f32", "bf16"]
    assert {headers[WEIGHTS] for headers in replicas.headers} == {SHA}


@pytest.mark.parametrize(
    ("statuses", "times"),
    [
        pytest.param([DROP], 2, id="a machine dies: once more"),
        pytest.param([500], 2, id="a replica dies: once more"),
        pytest.param([503, 503], 3, id="all are busy for a moment"),
        pytest.param([408], 2, id="none came in time"),
    ],
)
def test_a_fault_that_passes_loses_no_request(
    replicas: Replicas, statuses: list[int], times: int
) -> None:
    engine = engine_at(replicas.address)
    replicas.statuses = statuses
    assert np.array_equal(engine(VALUES), LOGITS)
    assert len(replicas.asked) == times


@pytest.mark.parametrize("fault", [DROP, 500])
def test_a_request_of_which_two_replicas_die_is_not_sent_again(
    replicas: Replicas, fault: int
) -> None:
    engine = engine_at(replicas.address)
    replicas.statuses = [fault] * 9
    with pytest.raises(Busy, match="cannot be reached"):
        engine(VALUES)
    assert len(replicas.asked) == 2


def test_replicas_that_stay_busy_are_said_to_be(replicas: Replicas) -> None:
    engine = engine_at(replicas.address)
    replicas.statuses = [503] * 99
    with pytest.raises(Busy, match="are busy") as busy:
        engine(VALUES)
    assert busy.value.wait_s == 10 and len(replicas.asked) > 2
    replicas.statuses = [503] * 99
    assert np.array_equal(engine_at(replicas.address, local=LocalEngine)(VALUES), LOGITS + 1)


def test_a_request_that_waits_says_so_once(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray, "PATIENCE_S", 10.0)
    monkeypatch.setattr(ray, "SILENCE_S", 0.2)
    engine = engine_at(replicas.address)
    said: list[str] = []
    token = on_wait.set(said.append)
    try:
        engine(VALUES)
        assert said == []
        replicas.statuses = [503] * 8
        assert np.array_equal(engine(VALUES), LOGITS)
    finally:
        on_wait.reset(token)
    assert said == [WAITING]


def test_a_replica_that_does_not_compute_in_bf16_is_asked_in_f32(replicas: Replicas) -> None:
    bf16 = connect((replicas.address,), CHECKPOINT, XXS, lambda f, s: None, None)[1]
    assert bf16 is not None
    replicas.statuses = [422]
    assert np.array_equal(bf16(VALUES), LOGITS)
    assert bf16.precision == "f32"
    assert [headers[PRECISION] for headers in replicas.headers] == ["bf16", "f32"]


def test_the_next_address_is_asked_when_one_fails(replicas: Replicas) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with running(Replicas()) as other:
        engine = engine_at(nobody, other.address, replicas.address)
        assert np.array_equal(engine(VALUES), LOGITS)
        other.statuses = [DROP]
        assert np.array_equal(engine(VALUES), LOGITS)
        assert (len(other.asked), len(replicas.asked)) == (2, 1)


def test_without_replicas_the_local_engine_stands_in_until_they_are_back(
    replicas: Replicas, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    engine = engine_at(replicas.address, local=LocalEngine)
    port = replicas.server_address[1]
    assert np.array_equal(engine(VALUES), LOGITS)
    replicas.end()
    engine._cluster._leave(engine._cluster._current)  # the server's thread still holds its end
    assert np.array_equal(engine(VALUES), LOGITS + 1)
    assert np.array_equal(engine(VALUES), LOGITS + 1)
    assert engine.is_away
    with running(Replicas(port)):
        threading.Event().wait(ray.RETRY_S)
        assert np.array_equal(engine(VALUES), LOGITS)
    assert not engine.is_away
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2 and "computed here" in said[0] and "answer again" in said[1]


def test_without_replicas_and_without_a_local_engine_a_visitor_is_told() -> None:
    cluster = Cluster((f"http://127.0.0.1:{free_port()}",))
    engine = RayEngine(cluster, XXS, SHA, "f32", None)
    with pytest.raises(Busy, match="cannot be reached") as busy:
        engine(VALUES)
    assert busy.value.wait_s == 30


def test_weights_that_differ_are_never_mixed(replicas: Replicas) -> None:
    engine = engine_at(replicas.address)
    replicas.statuses = [409]
    with pytest.raises(WeightsUnavailable, match="other weights"):
        engine(VALUES)
    replicas.statuses = [404]
    with pytest.raises(WeightsUnavailable, match="do not serve this variant any more"):
        engine(VALUES)
    replicas.weights = "b" * 64
    with pytest.raises(NoWeights, match="other weights of MobileViT-XXS"):
        engine_at(replicas.address)


def test_a_model_that_is_not_served_has_no_weights(replicas: Replicas) -> None:
    with pytest.raises(NoWeights, match="do not serve MobileViT-S"):
        connect((replicas.address,), CHECKPOINT, get_variant("s"), lambda f, s: None, None)


def test_what_answers_as_no_replica_does_has_no_weights(tmp_path: Path) -> None:
    (tmp_path / "xxs").write_text("<html>")
    with (
        run_server(
            [sys.executable, "-m", "http.server", str(port := free_port()), "-b", "127.0.0.1"],
            port,
            tmp_path / "log.txt",
            root=tmp_path,
        ) as address,
        pytest.raises(NoWeights, match="is no replica"),
    ):
        engine_at(address)


def test_replicas_that_cannot_be_reached_are_no_source_of_weights() -> None:
    with pytest.raises(NoWeights, match="cannot be reached"):
        engine_at(f"http://127.0.0.1:{free_port()}")
