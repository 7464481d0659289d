"""The gate: every request passes it before the page sees anything of it.

Doors that the page and its API do not use are shut. What passes is limited in size and in the
time it may take to come, and every answer carries the security headers.
"""

import asyncio
import logging
import re
import time
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.errors import Busy
from demo.metrics import REFUSALS, REQUESTS
from demo.settings import trusted_proxies
from demo.video import MAX_BYTES as MAX_FILM_BYTES
from demo.web.limits import Limits
from demo.web.visits import Visits

logger = logging.getLogger(__name__)

MAX_JSON_BYTES = 40_000_000
"""Of a request with an image as a data: URL in it."""

MAX_UPLOAD_BYTES = MAX_FILM_BYTES + 1_000_000
"""Of a whole upload: the largest film, and what a form adds."""

MAX_STEP_BYTES = 100_000
"""Of an event of the page that needs no network, and so no place in the queue."""

MAX_SMALL_BYTES = 10_000
SILENCE_S = 20.0
"""How long a client may send nothing while its request is incomplete."""

BASE_S, SLOWEST_BYTES_PER_S = 30.0, 10_000
"""A request may take half a minute, and longer for each byte that came at this speed."""

TAKEN_S = 60.0
"""How long a client may take to accept the next part of an answer."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-site",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            # Gradio's page has scripts and styles in line and compiles templates
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' ws: wss: data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co https://*.hf.space",
        )
    ),
}
"""Nothing is loaded from other hosts, and only Spaces may show the page in a frame."""


@dataclass(frozen=True)
class Door:
    """A kind of request that is answered.

    Attributes:
        name: what it is called where requests are counted.
        method: GET, which includes HEAD, or POST.
        path: pattern of the whole path.
        max_bytes: of the body.
        is_work: whether it asks for an image to be segmented.
    """

    name: str
    method: str
    path: re.Pattern[str]
    max_bytes: int = 0
    is_work: bool = False


def _door(name: str, method: str, path: str, max_bytes: int = 0, is_work: bool = False) -> Door:
    return Door(name, method, re.compile(path), max_bytes, is_work)


NOTHING = "There is nothing at this address."
_NO_STORAGE = "The server cannot store files now. Try again later."
_FAILURE = "Something failed on the server. Try again later."

_API = "/gradio_api"
DOORS = (
    _door("page", "GET", r"/(config/?)?"),
    _door("page parts", "GET", r"/(assets|static|svelte)/.+|/theme\.css|/favicon\.ico"),
    _door("page parts", "GET", r"/viewer/\w+\.js"),
    _door("page parts", "GET", r"/manifest\.json|/pwa_icon(/\d+)?|/robots\.txt"),
    _door("health", "GET", r"/healthz"),
    _door("metrics", "GET", r"/metrics"),
    _door("info", "GET", rf"{_API}/(info/?|openapi\.json|startup-events|app_id/?)"),
    _door("info", "GET", rf"{_API}/(login_check/?|user/?|queue/status|theme\.css)"),
    _door("heartbeat", "GET", rf"{_API}/heartbeat/(?P<session>[\w-]+)"),
    _door("result", "GET", rf"{_API}/(queue/data|call/(v2/)?segment/\w+)"),
    _door("upload progress", "GET", rf"{_API}/upload_progress"),
    _door("file", "GET", rf"{_API}/file=(?!\w+:/).+"),
    _door("segment", "POST", rf"{_API}/(queue/join|call/(v2/)?segment)/?", MAX_JSON_BYTES, True),
    _door("small step", "POST", rf"{_API}/run/predict/?", MAX_STEP_BYTES),
    _door("upload", "POST", rf"{_API}/upload", MAX_UPLOAD_BYTES),
    _door("cancel", "POST", rf"{_API}/(cancel|reset)/?", MAX_SMALL_BYTES),
)


class Refused(Exception):
    """A request is not let in.

    Attributes:
        status: of the answer.
        reason: what it is counted as.
    """

    def __init__(self, status: int, reason: str, sentence: str, wait_s: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.reason, self.wait_s = status, reason, wait_s


class Gate:
    """ASGI middleware around the whole app.

    Args:
        app: what lies behind.
        limits: who must wait.
        visits: whose pages are open.

    Attributes:
        is_closing: whether the server is about to stop; no more work is let in.
        under_way: answers that are being made, heartbeats apart.
    """

    def __init__(self, app: ASGIApp, limits: Limits, visits: Visits, state: "GateState") -> None:
        self._app, self._limits, self._visits, self._state = app, limits, visits, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        door = find_door(scope)
        try:
            if door is None:
                raise Refused(404, "no such door", NOTHING)
            await self._let_in(door, scope, receive, answer)
        except Refused as refused:
            REFUSALS.labels(refused.reason).inc()
            await answer.refuse(refused, as_text=door is not None and door.name == "upload")
        finally:
            REQUESTS.labels(door.name if door else "none", str(answer.status)).inc()

    async def _let_in(self, door: Door, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        body = _Body(receive, door.max_bytes, _length(scope))
        if door.is_work:
            self._check_work(scope)
        if door.name == "heartbeat":
            session = scope["path"].rstrip("/").rpartition("/")[2]
            with self._visits.open(session):
                await self._app(scope, receive, answer)
            return
        answer.body = body
        self._state.under_way += 1
        try:
            await self._app(scope, body, answer)
        except (ClientDisconnect, TimeoutError):
            pass  # the client is gone, or is sent away below
        except OSError as error:
            logger.error("a request could not be answered", extra={"kind": repr(error)})
            raise Refused(507, "storage", _NO_STORAGE) from None
        except Exception:
            logger.exception("a request could not be answered")
            raise Refused(500, "failure", _FAILURE) from None
        finally:
            self._state.under_way -= 1
        if body.refused is not None:
            raise body.refused

    def _check_work(self, scope: Scope) -> None:
        if self._state.is_closing:
            raise Refused(503, "closing", "The server is about to restart. Try again in 30 s.", 30)
        try:
            self._limits.enter(client_address(scope))
        except Busy as busy:
            raise Refused(429, "busy", str(busy), busy.wait_s) from None


@dataclass
class GateState:
    """What the gate shares with whoever stops the server.

    Attributes:
        is_closing: no more work is let in.
        under_way: answers that are being made, heartbeats apart.
    """

    is_closing: bool = False
    under_way: int = 0


class _Body:
    """A request's body as it comes, within its limits; what breaks them ends it.

    Raises:
        Refused: at once, if the request says that it is too long.
    """

    def __init__(self, receive: Receive, max_bytes: int, length: int | None) -> None:
        self._receive, self._max_bytes = receive, max_bytes
        self._bytes, self._is_complete, self._since = 0, False, time.monotonic()
        self.refused: Refused | None = None
        if length is not None and length > max_bytes:
            raise self._too_large()

    async def __call__(self) -> Message:
        if self._is_complete:
            return await self._receive()  # waits for the client to go
        try:
            message = await asyncio.wait_for(self._receive(), SILENCE_S)
        except TimeoutError:
            return self._end(self._too_slow())
        self._bytes += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._bytes > self._max_bytes:
            return self._end(self._too_large())
        allowed_s = BASE_S + self._bytes / SLOWEST_BYTES_PER_S
        if not self._is_complete and time.monotonic() - self._since > allowed_s:
            return self._end(self._too_slow())
        return message

    def _end(self, refused: Refused) -> Message:
        self.refused, self._is_complete = refused, True
        return {"type": "http.disconnect"}

    def _too_large(self) -> Refused:
        most = f"{self._max_bytes / 1e6:g} MB"
        return Refused(413, "too large", f"The request is larger than {most}. Send a smaller file.")

    @staticmethod
    def _too_slow() -> Refused:
        return Refused(408, "too slow", "The request came too slowly. Try again.")


class _Answer:
    """Sends an answer with the headers, or a refusal in its place."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.body: _Body | None = None

    async def __call__(self, message: Message) -> None:
        if self.body is not None and self.body.refused is not None and self.status is None:
            return  # what the app says of a request that was cut off
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await asyncio.wait_for(self._send(message), TAKEN_S)

    async def refuse(self, refused: Refused, as_text: bool) -> None:
        """Send a refusal, unless the app has begun to answer."""
        if self.status is not None:
            return
        self.body = None
        sentence = str(refused)
        response: Response = (
            PlainTextResponse(sentence, refused.status)
            if as_text
            else JSONResponse({"detail": sentence}, refused.status)
        )
        if refused.wait_s is not None:
            response.headers["Retry-After"] = str(refused.wait_s)
        response.headers["Connection"] = "close"
        await response({"type": "http"}, _no_more, self)


async def _no_more() -> Message:
    return {"type": "http.disconnect"}


def find_door(scope: Scope) -> Door | None:
    """The door for a request, or None if there is none."""
    path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
    method = {"HEAD": "GET"}.get(scope["method"], scope["method"])
    for door in DOORS:
        if door.method == method and door.path.fullmatch(path):
            return door
    return None


def client_address(scope: Scope) -> str:
    """The address of whoever asks, as far as it can be trusted.

    Behind proxies, each of them appends whom it heard from to X-Forwarded-For; only what the
    trusted ones appended counts, since a client may send any such header itself.
    """
    forwarded = Headers(scope=scope).get("x-forwarded-for", "").split(",")
    count = trusted_proxies()
    if count and len(forwarded) >= count and forwarded[-count].strip():
        return forwarded[-count].strip()
    client: Any = scope.get("client")
    return str(client[0]) if client else "unknown"


def _length(scope: Scope) -> int | None:
    value = Headers(scope=scope).get("content-length", "")
    return int(value) if value.isdecimal() else None
