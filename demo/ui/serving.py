"""Launches the page with all that surrounds it, and stops it without losing what runs."""

import contextlib
import logging
import signal
import threading
import time
from typing import Any

import gradio as gr
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from demo.errors import DemoError
from demo.metrics import mean_segment_seconds
from demo.registry import default_registry
from demo.settings import kept_bytes
from demo.ui.blocks import VIEWER, build_theme, read_css
from demo.ui.files import upload_folder
from demo.ui.guard import MISFIT
from demo.web.gate import MAX_UPLOAD_BYTES, NOTHING, Gate, GateState
from demo.web.health import health_routes
from demo.web.limits import Limits
from demo.web.live_socket import live_route
from demo.web.storage import keep_trimmed
from demo.web.visits import visits

logger = logging.getLogger(__name__)

FINISH_S = 6.0
"""How long a server that was told to stop lets running work finish."""


_SENTENCES = {400: MISFIT, 403: NOTHING, 404: NOTHING}


def serve(page: gr.Blocks) -> None:
    """Serve the page until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_load_first, name="load-first", daemon=True).start()
    state = GateState()
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **_options(page, state))
    logger.info("serving", extra={"address": address})
    trimming = (upload_folder, kept_bytes(), stop)
    threading.Thread(target=keep_trimmed, args=trimming, name="trim", daemon=True).start()
    stop.wait()
    logger.info("stopping", extra={"under_way": state.under_way})
    finish(state)
    page.close(verbose=False)


def _load_first() -> None:
    """The largest variant that can be had, so that the first visitor need not wait for it."""
    with contextlib.suppress(DemoError):  # /healthz and the page say why
        default_registry().first_available()


def _options(page: gr.Blocks, state: GateState) -> dict[str, Any]:
    limits = Limits(lambda: page._queue.get_status().queue_size, mean_segment_seconds)
    health = health_routes(
        default_registry(),
        files=upload_folder,
        is_closing=lambda: state.is_closing,
    )
    return {
        "app_kwargs": {
            "routes": [live_route(), *health, Mount("/viewer", Modules(directory=VIEWER))],
            "middleware": [Middleware(Gate, limits=limits, visits=visits, state=state)],
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
        "share": False,
        "run_history": False,
        "enable_monitoring": False,
        "strict_cors": True,
        "show_error": False,
        "ssr_mode": False,
    }


class Modules(StaticFiles):
    """The viewer's modules; a browser asks each time whether they are still the same."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """The file, or that it has not changed."""
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


async def answer_misfit(request: Request, error: Exception) -> Response:
    """One sentence for JSON that is none, or none of Gradio's."""
    return JSONResponse({"detail": MISFIT}, 422)


async def answer_refusal(request: Request, error: Exception) -> Response:
    """One sentence for what Gradio refuses in words of its own."""
    assert isinstance(error, HTTPException)
    sentence = _SENTENCES.get(error.status_code, str(error.detail))
    return JSONResponse({"detail": sentence}, error.status_code)


def finish(state: GateState, within_s: float = FINISH_S) -> None:
    """Let no more work in and wait for what runs."""
    state.is_closing = True
    deadline = time.monotonic() + within_s
    while state.under_way and time.monotonic() < deadline:
        time.sleep(0.05)
