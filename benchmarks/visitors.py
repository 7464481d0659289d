"""Simulate 500 visitors and 100 live sessions on 4, 16 and 64 replicas, from measured times.

    python -m benchmarks.visitors [--s-ms 330 --xxs-ms 30 --call-ms 4]

Two stations in a row, each with one queue in order of arrival: the CPUs of the app (two for each of
its copies), and the replicas (one CPU each). What the app does with an image or a frame is measured
here, without a network; the times of a forward pass on one CPU and of a call are those of
`benchmarks.replicas`, unless given. Assumptions:

- A visitor waits for a result, looks at it for 20 s (exponentially distributed), and sends the
  next photograph of 1920×1080 to MobileViT-S at side 512.
- A live session sends a frame of side 256 to MobileViT-XXS when the answer to the last one is
  there, but at most 30 a second.
- Every replica computes both, in constant time. Neither the network between machines nor memory or
  disks bound anything, and nobody is refused.
"""

import argparse
import heapq
import io
import itertools
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from benchmarks.live_sessions import encode_frame
from benchmarks.ours import load_bundled, make_photograph
from demo.exports import encode_class_map
from demo.image import read_image
from demo.inference import segment
from demo.live import LiveSession
from demo.models.model import Model
from demo.web.live_socket import encode_result

VISITORS, SESSIONS = 500, 100
LOOK_S, FRAME_S = 20.0, 1 / 30
CPUS_OF_A_COPY = 2
WARM_UP_S, END_S = 60.0, 180.0

TABLE = ((4, 1), (16, 1), (16, 2), (64, 1), (64, 8))
"""Replicas and copies of the app."""


@dataclass
class Times:
    """Seconds of CPU.

    Attributes:
        app: of the app, for a still and for a live frame.
        network: of a replica, likewise.
        call: what a call adds; the app waits for it without computing.
    """

    app: dict[str, float]
    network: dict[str, float]
    call: float


@dataclass
class Station:
    """Some servers and one queue.

    Attributes:
        servers: how many requests run at once.
        busy_s: seconds for which servers ran, after the warm-up.
    """

    servers: int
    waiting: deque[tuple[float, Callable[[], None]]] = field(default_factory=deque)
    running: int = 0
    busy_s: float = 0.0


class Simulation:
    """Events in the order of their times; a request passes the app, then the replicas.

    Attributes:
        waits: seconds from request to result, by kind, of the results after the warm-up.
    """

    def __init__(self, times: Times, replicas: int, copies: int) -> None:
        self._times = times
        self.app, self.replicas = Station(CPUS_OF_A_COPY * copies), Station(replicas)
        self.waits: dict[str, list[float]] = {"still": [], "live": []}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._now = 0.0
        self._random = random.Random(1)

    def run(self) -> None:
        """Let everybody come in the first seconds, and go on to the end."""
        for _ in range(VISITORS):
            self._after(self._random.expovariate(1 / LOOK_S), lambda: self._send("still"))
        for _ in range(SESSIONS):
            self._after(self._random.random(), lambda: self._send("live"))
        while self._events and self._now < END_S:
            self._now, _, happen = heapq.heappop(self._events)
            happen()

    def _after(self, seconds: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self._now + seconds, next(self._numbers), happen))

    def _send(self, kind: str) -> None:
        sent, times = self._now, self._times

        def at_replicas() -> None:
            self._enter(self.replicas, times.network[kind], called)

        def called() -> None:
            self._after(times.call, lambda: self._answer(kind, sent))

        self._enter(self.app, times.app[kind], at_replicas)

    def _enter(self, station: Station, seconds: float, then: Callable[[], None]) -> None:
        station.waiting.append((seconds, then))
        self._start_next(station)

    def _start_next(self, station: Station) -> None:
        if not station.waiting or station.running == station.servers:
            return
        seconds, then = station.waiting.popleft()
        station.running += 1
        if self._now > WARM_UP_S:
            station.busy_s += seconds

        def end() -> None:
            station.running -= 1
            self._start_next(station)
            then()

        self._after(seconds, end)

    def _answer(self, kind: str, sent: float) -> None:
        waited = self._now - sent
        if self._now > WARM_UP_S:
            self.waits[kind].append(waited)
        pause = self._random.expovariate(1 / LOOK_S) if kind == "still" else FRAME_S - waited
        self._after(max(pause, 0.0), lambda: self._send(kind))


def measure_app() -> dict[str, float]:
    """Measure what the app computes for a still and for a live frame, without a network."""
    loaded = load_bundled("xxs")
    logits = loaded.engine(np.zeros((1, 3, 512, 512), np.float32))

    class NoNetwork:
        precision = "f32"

        def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
            side = pixel_values.shape[2] // 16
            return np.ascontiguousarray(logits[..., :side, :side])

    model = Model(loaded.variant, NoNetwork(), loaded.weights)
    file = io.BytesIO()
    PIL.Image.fromarray(make_photograph((1080, 1920))).save(file, "JPEG", quality=90)
    jpeg, session = encode_frame(256), LiveSession(NoNetwork())

    def still() -> None:
        file.seek(0)
        encode_class_map(segment(read_image(PIL.Image.open(file)), model))

    def live() -> None:
        encode_result(session.answer(jpeg))

    return {"still": _cpu_seconds(still), "live": _cpu_seconds(live)}


def _cpu_seconds(call: Callable[[], None], rounds: int = 15) -> float:
    """Give the median of the CPU time of a call, over all threads."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return float(np.median(taken))


def main() -> None:
    """Measure the app, simulate, and print one row for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.visitors", description=__doc__)
    parser.add_argument("--s-ms", type=float, default=330.0)
    parser.add_argument("--xxs-ms", type=float, default=30.0)
    parser.add_argument("--call-ms", type=float, default=4.0)
    options = parser.parse_args()
    network = {"still": options.s_ms / 1000, "live": options.xxs_ms / 1000}
    times = Times(measure_app(), network, options.call_ms / 1000)
    print(
        f"app: {times.app['still'] * 1000:.0f} ms for a still, "
        f"{times.app['live'] * 1000:.1f} for a frame; "
        f"replica: {options.s_ms:.0f} and {options.xxs_ms:.0f}; call: {options.call_ms:.1f}"
    )
    print(
        "| replicas | copies | stills/s | still s, median | 95 % | live results/s each "
        "| age ms, 95 % | app busy | replicas busy | bound by |"
    )
    print("|" + "---|" * 10)
    for replicas, copies in TABLE:
        print_row(times, replicas, copies)


def print_row(times: Times, replicas: int, copies: int) -> None:
    """Simulate one size and print its figures."""
    simulation = Simulation(times, replicas, copies)
    simulation.run()
    seconds = END_S - WARM_UP_S
    still, live = (np.array(simulation.waits[kind]) for kind in ("still", "live"))
    busy = [s.busy_s / s.servers / seconds for s in (simulation.app, simulation.replicas)]
    bound = "app" if busy[0] > max(busy[1], 0.9) else "replicas" if busy[1] > 0.9 else "nothing"
    print(
        f"| {replicas} | {copies} | {len(still) / seconds:.1f} | {np.median(still):.2f} "
        f"| {np.percentile(still, 95):.2f} | {len(live) / seconds / SESSIONS:.1f} "
        f"| {np.percentile(live, 95) * 1000:.0f} | {busy[0]:.0%} | {busy[1]:.0%} | {bound} |"
    )


if __name__ == "__main__":
    main()
