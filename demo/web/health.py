"""/healthz, which says ready or why not, and /metrics, for Prometheus."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from demo.metrics import COUNTED
from demo.models.registry import Registry
from demo.settings import shows_metrics

LEAST_FREE_BYTES = 50_000_000
"""Least free space on the disk of uploads and results."""


def find_fault(registry: Registry, files: Path) -> str | None:
    """Say why images cannot be segmented now; None if they can.

    Args:
        registry: holds the models.
        files: the folder of uploads and results.
    """
    states = registry.states()
    if "loaded" not in states.values():
        return "; ".join(f"{key}: {state}" for key, state in states.items()) or "not started"
    try:
        files.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(files).free < LEAST_FREE_BYTES:
            return "the disk is nearly full"
    except OSError:
        return "the folder of uploads and results cannot be made"
    return None if os.access(files, os.W_OK) else "uploads and results cannot be written"


def _find_away(registry: Registry) -> list[str]:
    """List the variants whose replicas on other machines did not answer the last call."""
    models = {key: registry.loaded(key) for key in registry.states()}
    return [
        key
        for key, model in models.items()
        if model and any(getattr(e, "is_away", False) for e in (model.engine, model.bf16_engine))
    ]


def health_routes(
    registry: Registry, files: Callable[[], Path], is_closing: Callable[[], bool]
) -> list[Route]:
    """Build the routes to mount beside the page.

    Args:
        registry: holds the models.
        files: tells the folder of uploads and results.
        is_closing: tells whether the server is about to stop.
    """

    def healthz(request: Request) -> Response:
        fault = "closing" if is_closing() else find_fault(registry, files())
        answer = {"ready": fault is None, "variants": registry.states()}
        away = _find_away(registry)
        if away:
            answer["replicas cannot be reached"] = away
        if fault is not None:
            answer["reason"] = fault
        return JSONResponse(answer, 200 if fault is None else 503)

    def metrics(request: Request) -> Response:
        if not shows_metrics():
            return PlainTextResponse("Metrics are off; SEGMENTATION_METRICS=1 shows them.", 404)
        return Response(generate_latest(COUNTED), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/metrics", metrics)]
