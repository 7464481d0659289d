"""The gate: every request passes it before the page sees it.

Routes that the page and its API do not use are closed. A request that passes is limited in size
and in the time it may take to arrive, and every answer carries the security headers.
"""

import asyncio
import logging
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.errors import Busy
from demo.metrics import REFUSALS, REQUESTS
from demo.web.allowed_routes import AllowedRoute, find_route
from demo.web.body_limits import Refused, RequestBody
from demo.web.client import client_address, is_own_page
from demo.web.places import Limits
from demo.web.retention import Visits

logger = logging.getLogger(__name__)

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
            # Gradio's page has inline scripts and styles, and compiles templates.
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob: https://huggingface.co",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' ws: wss: data: blob: https://huggingface.co",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co https://*.hf.space",
        )
    ),
}
"""Only on Spaces does anything come from another host: the Space's state. Only Spaces may put the
page into a frame."""

NOTHING = "There is nothing at this address."
_NO_STORAGE = "The server cannot store files now. Try again later."
_FAILURE = "Something failed on the server. Try again later."


class Gate:
    """ASGI middleware around the whole app.

    Args:
        app: the app behind the gate.
        limits: decide who must wait.
        visits: note which pages are open.
        state: shared with the code that stops the server.
    """

    def __init__(self, app: ASGIApp, limits: Limits, visits: Visits, state: "GateState") -> None:
        self._app, self._limits, self._visits, self._state = app, limits, visits, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        route = find_route(scope)
        try:
            if route is None:
                raise Refused(404, "no such route", NOTHING)
            await self._let_in(route, scope, receive, answer)
        except Refused as refused:
            REFUSALS.labels(refused.reason).inc()
            await answer.refuse(refused, as_text=route is not None and route.name == "upload")
        finally:
            REQUESTS.labels(route.name if route else "none", str(answer.status)).inc()

    async def _let_in(
        self, route: AllowedRoute, scope: Scope, receive: Receive, answer: "_Answer"
    ) -> None:
        if not is_own_page(Headers(scope=scope)):
            raise Refused(403, "other page", "This server answers its own page only.")
        if self._state.is_closing and (route.is_work or route.name == "page"):
            raise Refused(503, "closing", "The server is about to restart. Try again in 30 s.", 30)
        if route.is_work:
            self._check_work(scope)
        body = answer.body = RequestBody(receive, route, _length(scope), self._state)
        if route.name == "heartbeat":
            with self._visits.open(scope["path"].rstrip("/").rpartition("/")[2]):
                await self._pass(scope, body, answer)
            return
        self._state.under_way += 1
        try:
            await self._pass(scope, body, answer)
        finally:
            self._state.under_way -= 1
            self._state.held_bytes -= body.held_bytes
        if body.refused is not None:
            raise body.refused

    async def _pass(self, scope: Scope, body: RequestBody, answer: "_Answer") -> None:
        try:
            await self._app(scope, body, answer)
        except (ClientDisconnect, TimeoutError):
            pass  # the client has gone, or is refused for what it sent
        except OSError as error:
            logger.error("a request could not be answered", extra={"kind": repr(error)})
            raise Refused(507, "storage", _NO_STORAGE) from None
        except Exception:
            logger.exception("a request could not be answered")
            raise Refused(500, "failure", _FAILURE) from None

    def _check_work(self, scope: Scope) -> None:
        try:
            self._limits.enter(client_address(scope))
        except Busy as busy:
            raise Refused(429, "busy", str(busy), busy.wait_s) from None


@dataclass
class GateState:
    """What the gate shares with the code that stops the server.

    Attributes:
        is_closing: whether new work is refused.
        under_way: number of answers that are being made, without heartbeats.
        held_bytes: size of all JSON bodies in memory.
    """

    is_closing: bool = False
    under_way: int = 0
    held_bytes: int = 0


class _Answer:
    """Sends an answer with the security headers, or a refusal instead."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.body: RequestBody | None = None

    async def __call__(self, message: Message) -> None:
        if self.body is not None and self.body.refused is not None and self.status is None:
            return  # drop what the app answers to a request that was cut off
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


def _length(scope: Scope) -> int | None:
    value = Headers(scope=scope).get("content-length", "")
    return int(value) if value.isdecimal() else None
