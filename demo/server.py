"""Launches the page with all that surrounds it, and stops it without losing running work."""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.http_server import INITIAL_PORT_VALUE, LOCALHOST_NAME
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from demo.errors import DemoError
from demo.metrics import mean_segment_seconds
from demo.models.registry import Registry, default_registry
from demo.settings import asked_port, serves_mcp, stored_bytes
from demo.ui.components import VIEWER
from demo.ui.examples import EXAMPLES_FOLDER, usable_examples
from demo.ui.gradio_patches import let_generators_end_twice
from demo.ui.page import build_theme, read_css
from demo.ui.requests import MISFIT, SEGMENT
from demo.ui.uploads import upload_folder
from demo.variants import offered_variants
from demo.web import built_site, live_socket
from demo.web.allowed_routes import MAX_UPLOAD_BYTES
from demo.web.client import client_address
from demo.web.gate import NOTHING, Gate, GateState
from demo.web.health import health_routes
from demo.web.places import Limits, Waiting
from demo.web.port import find_port_fault
from demo.web.proxied import Proxied
from demo.web.retention import tidy, visits

logger = logging.getLogger(__name__)

FINISH_S = 4.0
"""How long a server that was told to stop lets running work finish; closing takes 5 s at most."""

FIRST_LOAD_S = 10.0
"""How long the line with the address waits for the first variant; the page itself is served."""

IDLE_S = 5.0
"""How long nobody must have asked for anything before a variant is loaded that nobody waits for."""

TIDY_EVERY_S = 5.0
REMEMBERED_SESSIONS = 200
"""For how many pages Gradio remembers the state, which may be a megabyte each."""

_TURN_S, _QUIET_TURNS = 0.05, 10


_SENTENCES = {400: MISFIT, 403: NOTHING, 404: NOTHING}


def serve(page: gr.Blocks) -> None:
    """Serve the page until SIGTERM or SIGINT, then end the process."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    launched = threading.Event()
    first = threading.Thread(target=_load_first, args=(launched,), name="load-first", daemon=True)
    first.start()
    state = GateState()
    _launch(page, state)
    launched.set()
    _wait_for_first(first, stop)
    _say_address(page)
    others = threading.Thread(
        target=load_others,
        args=(default_registry(), lambda: not _is_busy(page, state), stop),
        name="load-others",
        daemon=True,
    )
    others.start()
    while not stop.wait(TIDY_EVERY_S):
        _tidy()
    logger.info("stopping", extra={"under_way": state.under_way})
    state.is_closing = True
    wait_for_rest(lambda: not state.under_way and not _jobs(page))
    page.close(verbose=False)
    _exit(0)


def _exit(status: int) -> NoReturn:
    logging.shutdown()
    os._exit(status)  # a thread that waits for the Hub would delay an orderly exit


def _launch(page: gr.Blocks, state: GateState) -> None:
    """Begin to serve; if the port is at fault, say so and end the process."""
    try:
        page.launch(
            prevent_thread_lock=True, quiet=True, server_port=asked_port(), **_options(page, state)
        )
        let_generators_end_twice(page)
        _offer_mcp(page)
    except OSError:
        fault = find_port_fault(LOCALHOST_NAME, INITIAL_PORT_VALUE)
        if fault is None:
            raise
        logger.error("%s", fault)
        _exit(1)


def _offer_mcp(page: gr.Blocks) -> None:
    if serves_mcp():
        from demo.ui.mcp import adapt_mcp  # noqa: PLC0415 - takes half a second, mostly unused

        adapt_mcp(page)


def _wait_for_first(first: threading.Thread, stop: threading.Event) -> None:
    """Give the first variant a moment to load, so that its sentence stands above the address."""
    deadline = time.monotonic() + FIRST_LOAD_S
    while first.is_alive() and not stop.wait(_TURN_S):
        if time.monotonic() > deadline:
            logger.info("The weights are not loaded yet; the page shows how far they are.")
            return


def _say_address(page: gr.Blocks) -> None:
    wanted, port = INITIAL_PORT_VALUE, page.server_port
    if port != wanted:
        logger.warning(
            "Port %(busy_port)d is taken by another program, so the page is on port %(port)d.",
            {"busy_port": wanted, "port": port},
        )
    logger.info("The page is at %(address)s", {"address": page.local_url})


def _tidy() -> None:
    try:
        tidy(upload_folder(), stored_bytes(), visits)
    except OSError as error:
        logger.warning("uploads and results cannot be tidied", extra={"kind": repr(error)})


def _is_busy(page: gr.Blocks, state: GateState) -> bool:
    return bool(state.under_way or live_socket.sessions.running or _jobs(page))


def _jobs(page: gr.Blocks) -> list[Any]:
    """List Gradio's events that wait or run."""
    queue = page._queue
    waiting = [e for each in queue.event_queue_per_concurrency_id.values() for e in each.queue]
    return waiting + [event for job in queue.active_jobs if job for event in job]


def find_waiting(page: gr.Blocks) -> Waiting:
    """List what waits for the engine, for the gate's limits."""
    queues = page._queue.event_queue_per_concurrency_id
    addresses = [client_address(event.request.scope) for q in queues.values() for event in q.queue]
    images = len(queues[SEGMENT].queue) if SEGMENT in queues else 0
    return Waiting(images, tuple(addresses))


def wait_for_rest(is_done: Callable[[], bool], within_s: float = FINISH_S) -> None:
    """Wait until there has been nothing to do for half a second, so that results are fetched."""
    deadline = time.monotonic() + within_s
    quiet = 0
    while quiet < _QUIET_TURNS and time.monotonic() < deadline:
        time.sleep(_TURN_S)
        quiet = quiet + 1 if is_done() else 0


def _load_first(launched: threading.Event) -> None:
    """Load the variant that the page begins with, and make the result that it shows first.

    It says which weights they are, or why there are none, once the page is served.
    """
    try:
        model = default_registry().first_available()
    except DemoError as error:
        level, sentence = logging.WARNING, str(error)
    else:
        level, sentence = logging.INFO, f"{model.variant.label}. {model.weights.describe()}"
        usable_examples.first_result(model)
    launched.wait()
    logger.log(level, "%s", sentence)


def load_others(
    registry: Registry, is_idle: Callable[[], bool], stop: threading.Event, idle_s: float = IDLE_S
) -> None:
    """Load one variant after the other while nobody asks for anything, so that nobody waits later.

    The first load of a network on a machine converts it, which takes seconds.
    """
    for key in offered_variants():
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < idle_s:
            if stop.wait(_TURN_S):
                return
            if not is_idle():
                idle_since = time.monotonic()
        with contextlib.suppress(DemoError):  # whoever asks for it gets the reason
            registry.prepare(key)


def _options(page: gr.Blocks, state: GateState) -> dict[str, Any]:
    limits = Limits(lambda: find_waiting(page), mean_segment_seconds)
    health = health_routes(
        default_registry(),
        files=upload_folder,
        is_closing=lambda: state.is_closing,
    )
    return {
        "app_kwargs": {
            "routes": [
                live_socket.live_route(),
                *health,
                Mount("/viewer", Unchanged(directory=VIEWER)),
                Mount("/examples", Unchanged(directory=EXAMPLES_FOLDER)),
                *_built_site_route(),
            ],
            "middleware": [
                Middleware(Proxied),
                Middleware(Gate, limits=limits, visits=visits, state=state),
            ],
            "exception_handlers": {
                RequestValidationError: answer_misfit,
                HTTPException: answer_refusal,
            },
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
        "theme": build_theme(),
        "css": read_css(),
        "footer_links": [],
        "max_file_size": MAX_UPLOAD_BYTES,
        "state_session_capacity": REMEMBERED_SESSIONS,
        "share": False,
        "run_history": False,
        "enable_monitoring": False,
        "strict_cors": True,
        "show_error": False,
        "ssr_mode": False,
        "mcp_server": serves_mcp(),
    }


def _built_site_route() -> list[Mount]:
    folder = built_site.find_built_site()
    if folder is None:
        return []
    return [Mount(f"/{built_site.ADDRESS}", Isolated(directory=folder, html=True))]


class Unchanged(StaticFiles):
    """Files of which the browser asks each time whether they have changed."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """Answer with the file, or say that it has not changed."""
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Isolated(Unchanged):
    """Files of a page that may use several threads."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """Answer with the file and the headers that isolate its page."""
        response = super().file_response(*arguments, **options)
        response.headers.update(built_site.ISOLATION)
        return response


async def answer_misfit(request: Request, error: Exception) -> Response:
    """Answer JSON that is damaged, or is no request of Gradio's, with one sentence."""
    return JSONResponse({"detail": MISFIT}, 422)


async def answer_refusal(request: Request, error: Exception) -> Response:
    """Answer what Gradio refuses with one sentence of ours."""
    assert isinstance(error, HTTPException)
    sentence = _SENTENCES.get(error.status_code, str(error.detail))
    return JSONResponse({"detail": sentence}, error.status_code)
