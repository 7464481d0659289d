"""The body of a request, limited in size and in the time it may take to arrive."""

import asyncio
import time
from typing import Protocol

from starlette.types import Message, Receive

from demo.web.allowed_routes import AllowedRoute

SILENCE_S = 20.0
"""How long a client may send nothing while its request is incomplete."""

BASE_S, SLOWEST_BYTES_PER_S = 30.0, 10_000
"""A request may take half a minute, and as much longer as its bytes take at this speed."""

MAX_PARTS = 5_000
"""Values in one JSON body: parsing takes long for many, and an image is one."""

MAX_HELD_BYTES = 200_000_000
"""Most that all JSON bodies together may take while they are read or answered."""


class Refused(Exception):
    """A request is not let in.

    Attributes:
        status: HTTP status of the answer.
        reason: the name under which it is counted.
        wait_s: after how many seconds to try again, or None.
    """

    def __init__(self, status: int, reason: str, sentence: str, wait_s: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.reason, self.wait_s = status, reason, wait_s


class Held(Protocol):
    """Counts the bytes of all JSON bodies in memory.

    Attributes:
        held_bytes: their size together.
    """

    held_bytes: int


class RequestBody:
    """A request's body as it arrives; a body that breaks its limits is cut off.

    Attributes:
        refused: why it was cut off, or None.
        held_bytes: size of what has arrived, if all of it stays in memory.

    Raises:
        Refused: at once, if the request announces too many bytes.
    """

    def __init__(
        self, receive: Receive, route: AllowedRoute, length: int | None, state: Held
    ) -> None:
        self._receive, self._route, self._state = receive, route, state
        self._bytes = self._parts = self.held_bytes = 0
        self._is_complete, self._since = False, time.monotonic()
        self.refused: Refused | None = None
        if length is not None and length > route.max_bytes:
            raise self._too_large()

    async def __call__(self) -> Message:
        """Give the next part, or end the request where it breaks its limits."""
        if self._is_complete:
            return await self._receive()  # waits for the client to go
        try:
            message = await asyncio.wait_for(self._receive(), SILENCE_S)
        except TimeoutError:
            return self._end(self._too_slow())
        self._is_complete = not message.get("more_body", False)
        refused = self._weigh(message.get("body", b""))
        return message if refused is None else self._end(refused)

    def _weigh(self, piece: bytes) -> Refused | None:
        self._bytes += len(piece)
        if self._bytes > self._route.max_bytes:
            return self._too_large()
        allowed_s = BASE_S + self._bytes / SLOWEST_BYTES_PER_S
        if not self._is_complete and time.monotonic() - self._since > allowed_s:
            return self._too_slow()
        if not self._route.is_work:
            return None
        self.held_bytes += len(piece)
        self._state.held_bytes += len(piece)
        self._parts += sum(piece.count(mark) for mark in (b",", b"[", b"{"))
        if self._parts > MAX_PARTS:
            return Refused(413, "too many parts", "The request has too many parts. Send one image.")
        if self._state.held_bytes > MAX_HELD_BYTES:
            return Refused(503, "busy", "The server is busy. Try again in 5 s.", 5)
        return None

    def _end(self, refused: Refused) -> Message:
        self.refused, self._is_complete = refused, True
        return {"type": "http.disconnect"}

    def _too_large(self) -> Refused:
        most = f"{self._route.max_bytes / 1e6:g} MB"
        return Refused(413, "too large", f"The request is larger than {most}. Send a smaller file.")

    @staticmethod
    def _too_slow() -> Refused:
        return Refused(408, "too slow", "The request came too slowly. Try again.")
