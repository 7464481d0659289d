"""The networks on real replicas, some of which are killed while they work."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file

from demo.framing import to_pixel_values
from demo.models.checkpoint import Checkpoint, NoWeights
from demo.models.engines import ray
from demo.models.engines.choice import load_engines
from demo.models.engines.contract import Engine
from demo.models.engines.ray import connect
from demo.models.sources import find_bundled
from demo.variants import get_variant
from tests.support import ROOT
from tests.support.browser import ASTRONAUT
from tests.support.cluster import Machine, start_head, start_other
from tests.support.server import free_port, run_app

XXS = get_variant("xxs")
PIXELS = np.random.default_rng(1).integers(0, 256, (512, 512, 3), np.uint8)
VALUES = to_pixel_values(PIXELS)


def bundled() -> Checkpoint:
    checkpoint = find_bundled(XXS)
    assert checkpoint is not None
    return checkpoint


def engine_at(*machines: Machine) -> Engine:
    addresses = tuple(machine.address for machine in machines)
    return connect(addresses, bundled(), XXS, lambda fraction, sentence: None, None)[0]


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    return load_engines(bundled(), XXS, lambda fraction, sentence: None).engine(VALUES)


@pytest.fixture
def machines() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@contextmanager
def under_load(engine: Engine, expected: np.ndarray, threads: int = 3) -> Iterator[list[float]]:
    """Ask without a pause while the block runs; every answer must come, and be the right one."""
    done: list[float] = []
    failures: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                logits = engine(VALUES)
            except Exception as error:
                failures.append(error)
            else:
                done.append(time.monotonic())
                if not np.allclose(logits, expected, atol=1e-3):
                    failures.append("other logits")

    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in asking:
        thread.start()
    try:
        yield done
    finally:
        stop.set()
        for thread in asking:
            thread.join()
    assert not failures, failures


def wait_for_replicas(count: int, *machines: Machine) -> None:
    for _ in range(900):
        if sum(len(machine.replicas()) for machine in machines) == count:
            return
        time.sleep(0.1)
    pytest.fail(f"there are {[machine.replicas() for machine in machines]}")


def test_a_replica_that_is_killed_under_load_loses_no_request(
    tmp_path: Path, expected: np.ndarray, machines: ExitStack
) -> None:
    head = machines.enter_context(start_head(tmp_path, free_port(), free_port(), "--least", "2"))
    engine = engine_at(head)
    assert np.allclose(engine(VALUES), expected, atol=1e-3)
    with under_load(engine, expected) as done:
        time.sleep(1)
        before = head.replicas()
        os.kill(before[0], signal.SIGKILL)
        killed_at = time.monotonic()
        wait_for_replicas(1, head)
        wait_for_replicas(2, head)
        time.sleep(1)
    assert max(done) > killed_at + 1
    assert before[0] not in head.replicas()
    other_weights = Checkpoint(bundled().folder, bundled().source, "0" * 64)
    with pytest.raises(NoWeights, match="other weights"):
        connect((head.address,), other_weights, XXS, lambda fraction, sentence: None, None)
    head.end()


@pytest.mark.long
def test_machines_that_are_lost_under_load_lose_no_request(
    tmp_path: Path, expected: np.ndarray, machines: ExitStack
) -> None:
    port, head_port = free_port(), free_port()
    head = machines.enter_context(start_head(tmp_path, port, head_port, "--use-cpus", "1"))
    other = machines.enter_context(start_other(tmp_path, head_port))
    with under_load(engine_at(head, other), expected) as done:
        wait_for_replicas(2, head, other)  # the load asks for a second one
        time.sleep(2)
        other.kill()
        killed_at = time.monotonic()
        time.sleep(4)
    assert max(done) > killed_at + 2

    app = {
        "HF_HUB_OFFLINE": "1",
        "SEGMENTATION_ENGINE": "ray",
        "SEGMENTATION_RAY_ADDRESS": head.address,
    }
    with run_app(tmp_path, ROOT, **app, SEGMENTATION_RAY_FALLBACK="1") as address:
        client = Client(address, download_files=tmp_path, verbose=False)

        def area() -> float:
            areas = client.predict(handle_file(str(ASTRONAUT)), "xxs", api_name="/segment")[2]
            person = [a for a in areas["areas"] if a["class_name"] == "person"]
            return float(person[0]["fraction"])

        on_replicas = area()
        head.kill()
        assert area() == pytest.approx(on_replicas, abs=1e-3)
        assert "computed here" in (tmp_path / "log.txt").read_text()
        machines.enter_context(start_head(tmp_path, port, head_port, "--use-cpus", "1"))
        time.sleep(ray.RETRY_S)
        assert area() == pytest.approx(on_replicas, abs=1e-3)
        assert "answer again" in (tmp_path / "log.txt").read_text()
