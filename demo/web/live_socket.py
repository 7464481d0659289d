"""The WebSocket of the live view: one frame in flight, nothing queued, nothing on disk.

The browser names a variant in the address, /live?variant=xs, when a session begins; with
&precision=f32, the network computes in f32 where it would in bf16. The browser sends text,
{"smoothing": 0.5}, whenever that changes, and each frame as a binary message, a JPEG. Each frame is
answered by one binary message: the length of a JSON header (4 bytes, little-endian), the header,
and the logits as little-endian half floats. A session that cannot go on ends with a close code and
a sentence.

Each TypedDict has a twin of the same name in demo/ui/viewer/types.js, which also tells what its
fields mean; demo/ui/viewer/connection.js is the other side of the socket.
"""

import asyncio
import json
import logging
import struct
import time
from typing import Any, TypedDict

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from demo.areas import AreaRow
from demo.classes import VOC, ClassInfo
from demo.cpus import usable_cpus
from demo.errors import Busy, DemoError, InvalidOption, shorten
from demo.live import LiveResult, LiveSession
from demo.metrics import FORWARD_PASSES
from demo.models.engines.contract import Engine
from demo.models.model import Model
from demo.models.registry import default_registry
from demo.web.client import client_address, is_own_page
from demo.web.places import LiveSessions

logger = logging.getLogger(__name__)

DEFAULT_VARIANT = "xxs"
"""The fastest variant serves those who name none."""

IDLE_S = 20.0
"""A session ends when no frame has come for this long."""

LONGEST_S = 600.0
SESSIONS_PER_CPU = 4

_IDLE = f"No frame has come for {IDLE_S:.0f} seconds. Start again."
_TIME_UP = f"The session's {LONGEST_S / 60:.0f} minutes are over. Start again to go on."
_BUSY, _REFUSED, _DAMAGED, _FAILED, _OVER = 1013, 1008, 1003, 1011, 1000

sessions = LiveSessions(SESSIONS_PER_CPU * usable_cpus(), LONGEST_S)


class LiveReady(TypedDict):
    """The first message of a session."""

    ready: str
    weights: str
    precision: str
    has_bf16: bool
    count: int
    classes: list[ClassInfo] | None


class LiveError(TypedDict):
    """The last message of a session that the server ends."""

    error: str


class LiveHeader(TypedDict):
    """The header of each result."""

    classes: tuple[int, ...]
    grid: tuple[int, ...]
    areas: list[AreaRow]
    flicker: tuple[float, float] | None


class Ended(DemoError):
    """Ends a session with a close code of the WebSocket protocol and a sentence."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def live_route() -> WebSocketRoute:
    """Build the route to mount beside the page."""
    return WebSocketRoute("/live", serve_live)


async def serve_live(socket: WebSocket) -> None:
    """Answer the frames of one camera until either side ends it."""
    await socket.accept()
    try:
        _check_origin(socket)
        with sessions.enter(client_address(socket.scope)) as end:
            model = await _load(socket.query_params.get("variant", DEFAULT_VARIANT))
            engine = _choose_engine(model, socket.query_params.get("precision", "auto"))
            ready: LiveReady = {
                "ready": model.variant.label,
                "weights": model.weights.describe(),
                "precision": engine.precision,
                "has_bf16": model.bf16_engine is not None,
                "count": len(model.classes),
                "classes": None if model.classes is VOC else model.classes.infos,
            }
            await socket.send_json(ready)
            await _converse(socket, LiveSession(engine), end, model.variant.key)
    except WebSocketDisconnect:
        return
    except Ended as ending:
        await _close(socket, ending.code, str(ending))
    except Busy as busy:
        await _close(socket, _BUSY, str(busy))
    except DemoError as error:
        await _close(socket, _DAMAGED, str(error))
    except Exception:
        logger.exception("a live session failed")
        await _close(socket, _FAILED, "Something failed on the server. Start again.")


async def _load(variant: str) -> Model:
    """Wait for the model without a thread: a waiting thread would keep the server from stopping.

    Raises:
        InvalidOption: if there is no such variant.
        WeightsUnavailable: if it has no weights.
    """
    return await asyncio.wrap_future(default_registry().request(variant))


def _choose_engine(model: Model, precision: str) -> Engine:
    """Choose the engine of a session.

    Raises:
        InvalidOption: if the precision is neither ``auto`` nor ``f32``.
    """
    if precision not in ("auto", "f32"):
        raise InvalidOption(f"Unknown precision {shorten(precision)}. Choose auto or f32.")
    return model.engine if precision == "f32" else model.fast.engine


async def _close(socket: WebSocket, code: int, sentence: str) -> None:
    try:
        # A close reason holds only 123 bytes, so the sentence is sent before it.
        error: LiveError = {"error": sentence}
        await socket.send_json(error)
        await socket.close(code)
    except (RuntimeError, WebSocketDisconnect):
        return  # the client has gone already


def _check_origin(socket: WebSocket) -> None:
    if not is_own_page(socket.headers):
        raise Ended(_REFUSED, "This socket serves its own page only.")


async def _converse(socket: WebSocket, session: LiveSession, end: float, variant: str) -> None:
    receiving = asyncio.ensure_future(socket.receive())
    answered_at = time.monotonic()
    try:
        while True:
            left_s = min(answered_at + IDLE_S, end) - time.monotonic()
            await asyncio.wait([receiving], timeout=max(left_s, 0))
            if left_s <= 0 or not receiving.done():
                is_idle = end > time.monotonic()
                raise Ended(_OVER, _IDLE if is_idle else _TIME_UP)
            message = receiving.result()
            if message["type"] == "websocket.disconnect":
                return
            receiving = asyncio.ensure_future(socket.receive())
            if message.get("bytes") is None:
                _configure(session, message.get("text") or "")
                continue
            result = await asyncio.to_thread(session.answer, message["bytes"])
            FORWARD_PASSES.labels(variant).inc()
            if receiving.done() and receiving.result().get("bytes") is not None:
                raise Ended(_REFUSED, "Expected one frame at a time; wait for the answer.")
            await socket.send_bytes(encode_result(result))
            answered_at = time.monotonic()
    finally:
        receiving.cancel()


def _configure(session: LiveSession, text: str) -> None:
    try:
        wanted: Any = json.loads(text)
        session.set_smoothing(wanted["smoothing"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Ended(_DAMAGED, 'Expected {"smoothing": 0 to 0.95} as JSON.') from None


def encode_result(result: LiveResult) -> bytes:
    """Encode a result as one binary message; demo/ui/viewer/connection.js reads it."""
    header: LiveHeader = {
        "classes": result.class_ids,
        "grid": result.logits.shape[1:],
        "areas": [[class_id, round(share, 5)] for class_id, share in result.areas.items()],
        "flicker": result.flicker,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)  # pad, so that the logits are aligned
    return struct.pack("<I", len(text)) + text + result.logits.astype("<f2").tobytes()
