"""Who must wait: places in the queue and in live view, with a fair share for each address."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from demo.errors import Busy

QUEUE_SIZE = 64
"""Most images that may wait for the engine."""

MOST_OF_ONE = 8
"""Most waiting images and videos that may come from one address."""

BURST = 30
"""Images that an address may send at once while others wait."""

PER_SECOND = 0.5
"""Images a second that an address may go on sending after that, as long as others wait."""

_FORGOTTEN_S = BURST / PER_SECOND


@dataclass
class _Share:
    """What an address may still send: a bucket of tokens that fills again with time.

    Attributes:
        tokens: number of images, with fractions.
        at: when the tokens were counted, in seconds of the clock.
    """

    tokens: float
    at: float


@dataclass(frozen=True)
class Waiting:
    """What waits for the engine.

    Attributes:
        images: how many images; videos have a queue of their own.
        addresses: the client's address of each image and video that waits.
    """

    images: int
    addresses: tuple[str, ...] = ()


class Limits:
    """Decides who is let in.

    An address that sends much is refused only while others wait: many people may share one
    address, and an idle machine turns nobody away.

    Args:
        waiting: tells what waits now.
        seconds_each: tells how long an image takes, in seconds.
        clock: gives seconds that never go back.
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
            address: the client's address.

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


class LiveSessions:
    """Counts the live sessions that run, up to a limit; each ends after a time to let others in.

    The last free place goes only to an address that holds none, so that one address cannot keep
    all others out.
    """

    def __init__(self, limit: int, longest_s: float) -> None:
        self.limit, self.longest_s = limit, longest_s
        self._guard = threading.Lock()
        self._held: list[tuple[float, str]] = []

    @property
    def running(self) -> int:
        """How many sessions run now."""
        return len(self._held)

    @contextmanager
    def enter(self, address: str = "") -> Iterator[float]:
        """Hold a place; gives the time at which it ends, in seconds of `time.monotonic`.

        Args:
            address: the client's address.

        Raises:
            Busy: if no place is free for this address.
        """
        with self._guard:
            place = (time.monotonic() + self.longest_s, address)
            self._check(address)
            self._held.append(place)
        try:
            yield place[0]
        finally:
            with self._guard:
                self._held.remove(place)

    def _check(self, address: str) -> None:
        free = self.limit - len(self._held)
        holds_one = any(other == address for _, other in self._held)
        if free > 1 or (free == 1 and not holds_one):
            return
        ends = [end for end, other in self._held if not free or other == address]
        wait_s = max(1, round(min(ends) - time.monotonic()))
        which = f"All {self.limit} live places" if not free else "The live places for your network"
        raise Busy(
            f"{which} are taken. Try again in {wait_s} s, or use the Image tab meanwhile.", wait_s
        )
