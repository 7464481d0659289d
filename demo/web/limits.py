"""Who must wait: places in the queue, and a fair share for each address where places are scarce."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from demo.errors import Busy

QUEUE_SIZE = 64
"""Most images that wait for the engine."""

MOST_OF_ONE = 8
"""Most of what waits, images and films, that may come from one address."""

BURST = 30
"""Images that an address may send at once while others wait."""

PER_SECOND = 0.5
"""Images that an address may send on after that, for as long as others wait."""

_FORGOTTEN_S = BURST / PER_SECOND


@dataclass
class _Share:
    """What an address has left, as a bucket of tokens that fills again."""

    tokens: float
    at: float


@dataclass(frozen=True)
class Waiting:
    """What waits for the engine.

    Attributes:
        images: how many images; films have a queue of their own.
        addresses: where each of all that wait came from.
    """

    images: int
    addresses: tuple[str, ...] = ()


class Limits:
    """Decides who is let in.

    An address that sends much is refused only while others wait: many people may stand behind
    one, and on a machine with nothing else to do nobody is to be turned away.

    Args:
        waiting: what waits now.
        seconds_each: how long an image takes.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        waiting: Callable[[], Waiting],
        seconds_each: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting, self._seconds_each, self._clock = waiting, seconds_each, clock
        self._shares: dict[str, _Share] = {}
        self._guard = threading.Lock()

    def enter(self, address: str) -> None:
        """Let one image in.

        Args:
            address: the client's.

        Raises:
            Busy: with the time after which to try again.
        """
        waiting = self._waiting()
        if waiting.images >= QUEUE_SIZE:
            raise _busy(waiting.images * self._seconds_each())
        own = waiting.addresses.count(address)
        if own >= MOST_OF_ONE:
            raise _busy(own * self._seconds_each())
        with self._guard:
            share = self._refill(address)
            if share.tokens >= 1:
                share.tokens -= 1
            elif waiting.images:
                raise _busy((1 - share.tokens) / PER_SECOND)

    def _refill(self, address: str) -> _Share:
        now = self._clock()
        for other, share in list(self._shares.items()):
            if now - share.at > _FORGOTTEN_S:
                del self._shares[other]
        share = self._shares.setdefault(address, _Share(BURST, now))
        share.tokens = min(BURST, share.tokens + (now - share.at) * PER_SECOND)
        share.at = now
        return share


def _busy(seconds: float) -> Busy:
    wait_s = max(1, math.ceil(seconds))
    return Busy(f"The server is busy. Try again in {wait_s} s.", wait_s)
