"""The engine on other machines: replicas of the network that Ray Serve runs, asked over HTTP.

`demo.models.replicas` is their side. This side needs no Ray.
"""

import contextlib
import contextvars
import functools
import http.client
import json
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from demo.errors import Busy, InvalidOption, WeightsUnavailable
from demo.models.checkpoint import Checkpoint, NoWeights, OnProgress
from demo.models.engines.contract import Engine, on_wait
from demo.models.engines.wire import (
    PRECISION,
    SHAPE,
    WEIGHTS,
    decode_logits,
    encode_pixels,
)
from demo.variants import Variant

logger = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""How long a request waits for a replica before its visitor is told to come back."""

ANSWER_S = 12.0
"""How long an answer may take; Serve itself gives up after `PATIENCE_S`."""

CONNECT_S = 2.0
"""How long a machine may take to accept a connection."""

RETRY_S = 5.0
"""How long the local engine stands in before the replicas are asked again."""

SILENCE_S = 2.0
"""How long a request takes before its visitor is told that it waits."""

_PAUSE_S = 0.2
_SETTLE_S = 0.7
"""How long to wait after a replica died: the proxy before it needs half a second to notice."""

_DONE, _NO_SUCH_MODEL, _OTHER_WEIGHTS, _NO_PRECISION = 200, 404, 409, 422
_DIED, _NONE_FREE = (500, 502, 504), (408, 503)

AWAY = "The machines that run the networks cannot be reached. Try again in half a minute."
WAITING = "Waiting for a free machine"
BUSY = "All machines that run the networks are busy. Try again in 10 s."
OTHER_WEIGHTS = (
    "The machines that run the networks have other weights than this app. Tell its owner to "
    "restart both with the same weights."
)
REFUSED = (
    "The machines that run the networks do not serve this variant any more. Choose another one, or "
    "tell the owner of this app."
)


class Unreachable(Exception):
    """No address answers, or replicas die of a request."""


class Answer(NamedTuple):
    """What a replica, or the proxy before it, answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Cluster:
    """The addresses at which the replicas are asked, and open connections to the current one.

    Args:
        addresses: such as ``http://10.0.0.2:7870``; the next one is asked when one fails.
    """

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self.addresses = addresses
        self._current = 0
        self._idle: queue.LifoQueue[tuple[int, http.client.HTTPConnection]] = queue.LifoQueue()
        self._guard = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request, and once more if a replica or machine dies, elsewhere if it can.

        A request is a pure function, so that it may run twice; it may not more often, because it
        could be what ends a replica.

        Raises:
            Unreachable: if that happens twice, or no address accepts a connection.
        """
        answer = self._ask_once(method, path, body, headers or {})
        if answer is None:
            time.sleep(_SETTLE_S)
            answer = self._ask_once(method, path, body, headers or {})
        if answer is None:
            raise Unreachable(", ".join(self.addresses))
        return answer

    def _ask_once(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer | None:
        """Send one request; None if a replica or machine died meanwhile."""
        at, connection = self._connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            self._leave(at)
            return None
        self._idle.put((at, connection))
        return None if answer.status in _DIED else answer

    def _connect(self) -> tuple[int, http.client.HTTPConnection]:
        """Give an open connection, and the number of the address that it leads to."""
        with contextlib.suppress(queue.Empty):
            while True:
                at, connection = self._idle.get_nowait()
                if at == self._current:
                    return at, connection
                connection.close()
        for _ in self.addresses:
            at = self._current
            parts = urlsplit(self.addresses[at % len(self.addresses)])
            connection = http.client.HTTPConnection(
                parts.hostname or "", parts.port, timeout=CONNECT_S
            )
            try:
                connection.connect()
            except OSError:
                self._leave(at)
            else:
                connection.sock.settimeout(ANSWER_S)
                return at, connection
        raise Unreachable(", ".join(self.addresses))

    def _leave(self, at: int) -> None:
        """Turn to the next address, and so give up all connections to this one."""
        with self._guard:
            if self._current == at:
                self._current += 1


def _close_all(idle: queue.LifoQueue[tuple[int, http.client.HTTPConnection]]) -> None:
    while not idle.empty():
        idle.get_nowait()[1].close()


class RayEngine:
    """One network on other machines; each call is one request, and as many run as there are calls.

    Args:
        cluster: where the replicas are asked.
        variant: which network.
        sha256: of the checkpoint that they must have.
        precision: what they are to compute in, ``f32`` or ``bf16``.
        local: gives the engine, in f32, that stands in while none can be reached; None for no such.
    """

    def __init__(
        self,
        cluster: Cluster,
        variant: Variant,
        sha256: str,
        precision: str,
        local: Callable[[], Engine] | None,
    ) -> None:
        self._cluster, self._variant, self._sha256 = cluster, variant, sha256
        self._precision = precision
        self._local = local
        self._away_until = 0.0

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see `demo.models.engines.contract.Engine`.

        Raises:
            Busy: if no replica is free for `PATIENCE_S`, or none can be reached, and there is no
                local engine.
            WeightsUnavailable: if the replicas have other weights than this app by now, or none.
        """
        if self._local is not None and time.monotonic() < self._away_until:
            return self._local()(pixel_values)
        if self.is_away:
            self._away_until = time.monotonic() + RETRY_S  # the others need not try as well
        try:
            with _told_if_it_waits():
                return self._ask(pixel_values)
        except Unreachable as error:
            self._note_away(str(error))
            if self._local is None:
                raise Busy(AWAY, 30) from None
        except Busy:
            if self._local is None:
                raise
        return self._local()(pixel_values)

    @property
    def precision(self) -> str:
        """What it computes in; ``f32`` while the local engine stands in."""
        return "f32" if self.is_away else self._precision

    @property
    def is_away(self) -> bool:
        """Whether the last call reached no replica."""
        return self._away_until > 0

    def _ask(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        shape, body = encode_pixels(pixel_values)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            headers = {SHAPE: shape, WEIGHTS: self._sha256, PRECISION: self._precision}
            answer = self._cluster.ask("POST", f"/{self._variant.key}", body, headers)
            self._note_back()
            if answer.status == _DONE:
                return _read_logits(answer)
            if answer.status == _OTHER_WEIGHTS:
                raise WeightsUnavailable(OTHER_WEIGHTS)
            if answer.status == _NO_PRECISION and self._precision != "f32":
                self._precision = "f32"  # this replica's processor does not compute in bf16
                continue
            if answer.status not in _NONE_FREE:
                raise WeightsUnavailable(REFUSED)
            if time.monotonic() > deadline:
                raise Busy(BUSY, 10)
            time.sleep(_PAUSE_S)

    def _note_away(self, addresses: str) -> None:
        if not self.is_away:
            stand_in = "They are computed here." if self._local else "Visitors are told so."
            logger.warning("No replica of the networks answers at %s. %s", addresses, stand_in)
        self._away_until = time.monotonic() + RETRY_S

    def _note_back(self) -> None:
        if self.is_away:
            logger.info("The replicas of the networks answer again.")
            self._away_until = 0.0


@contextlib.contextmanager
def _told_if_it_waits() -> Iterator[None]:
    """Tell `on_wait` if the block takes longer than `SILENCE_S`."""
    tell = on_wait.get(None)
    if tell is None:
        yield
        return
    timer = threading.Timer(SILENCE_S, contextvars.copy_context().run, (tell, WAITING))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _read_logits(answer: Answer) -> NDArray[np.float32]:
    try:
        return decode_logits(answer.headers.get(SHAPE, ""), answer.body)
    except InvalidOption as error:
        raise Unreachable(str(error)) from None  # something else answers there


def connect(
    addresses: tuple[str, ...],
    checkpoint: Checkpoint,
    variant: Variant,
    on_progress: OnProgress,
    local: Callable[[], Engine] | None,
) -> tuple[RayEngine, RayEngine | None]:
    """Give the engines of a network that replicas run, in f32 and, where they have it, in bf16.

    Args:
        addresses: see `Cluster`.
        checkpoint: whose weights the replicas must have.
        variant: which network.
        on_progress: is told that this waits.
        local: gives the engine that stands in while no replica can be reached; None for no such.

    Raises:
        NoWeights: if the replicas cannot be reached, or have no such weights.
    """
    cluster, local = Cluster(addresses), _once(local)
    precisions = _find_precisions(cluster, checkpoint, variant, on_progress, bool(local))

    def engine(precision: str) -> RayEngine:
        return RayEngine(cluster, variant, checkpoint.sha256, precision, local)

    return engine("f32"), engine("bf16") if "bf16" in precisions else None


def _once(load: Callable[[], Engine] | None) -> Callable[[], Engine] | None:
    """Load the local engine at its first call only, whichever thread that comes from."""
    if load is None:
        return None
    guard, cached = threading.Lock(), functools.cache(load)

    def give() -> Engine:
        with guard:
            return cached()

    return give


def _find_precisions(
    cluster: Cluster,
    checkpoint: Checkpoint,
    variant: Variant,
    on_progress: OnProgress,
    may_be_away: bool,
) -> list[str]:
    """Ask the replicas what they have.

    Raises:
        NoWeights: if they cannot be reached, or have no such weights.
    """
    place = ", ".join(cluster.addresses)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            answer = cluster.ask("GET", f"/{variant.key}")
        except Unreachable:
            if may_be_away:
                return ["f32"]
            raise NoWeights(f"the replicas at {place} cannot be reached") from None
        if answer.status == _DONE:
            try:
                found = json.loads(answer.body)
                weights, precisions = found["weights"], list(found["precisions"])
            except (ValueError, KeyError, TypeError):
                raise NoWeights(f"what answers at {place} is no replica") from None
            if weights != checkpoint.sha256:
                raise NoWeights(f"the replicas at {place} have other weights of {variant.label}")
            return precisions
        if answer.status == _NO_SUCH_MODEL or time.monotonic() > deadline:
            raise NoWeights(f"the replicas at {place} do not serve {variant.label}")
        on_progress(1.0, f"Waiting for the replicas of {variant.label}")
        time.sleep(_PAUSE_S)
