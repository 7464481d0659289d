"""The networks as deployments of Ray Serve: one for each model, with as many replicas as asked for.

Only the machines that serve models need Ray; the app speaks HTTP to them, see
`demo.models.engines.ray`.
"""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.errors import InvalidOption
from demo.models.checkpoint import CONFIG_FILE, Checkpoint, find_weights, read_checkpoint
from demo.models.engines.ray import PATIENCE_S
from demo.models.engines.wire import (
    PRECISION,
    SHAPE,
    WEIGHTS,
    decode_pixels,
    encode_logits,
)
from demo.variants import Variant

_HELD_EACH = 8
"""Requests that a replica holds: one runs, and the others wait in their order."""

_MOST_WAITING = 100
"""Requests of one model that wait at a node for a free replica; more are answered with 503."""


@dataclass(frozen=True)
class Scale:
    """How many replicas each model has.

    Attributes:
        least, most: of them; as many run as the requests need.
        cpus: that each asks for, and so its threads.
    """

    least: int
    most: int
    cpus: int


class Replica:
    """One loaded network; computes logits for requests over HTTP.

    Args:
        variant: which network.
        files: name and content of the checkpoint's files, which travel with the deployment.
    """

    def __init__(self, variant: Variant, files: dict[str, bytes]) -> None:
        # Import the engines here: the machine that only deploys need not wait for them.
        from demo.models.engines.choice import load_engines  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            checkpoint = read_checkpoint(Path(folder), "local", name=variant.label)
            engines = load_engines(checkpoint, variant, lambda fraction, sentence: None)
        self._sha256 = checkpoint.sha256
        self._engines = {e.precision: e for e in engines if e is not None}

    async def __call__(self, request: Request) -> Response:
        """Answer GET with what this is, and POST, see `demo.models.engines.wire`, with logits."""
        if request.method != "POST":
            return JSONResponse({"weights": self._sha256, "precisions": list(self._engines)})
        if request.headers.get(WEIGHTS) != self._sha256:
            return JSONResponse({"weights": self._sha256}, 409)
        engine = self._engines.get(request.headers.get(PRECISION, ""))
        try:
            values = decode_pixels(request.headers.get(SHAPE, ""), await request.body())
        except InvalidOption as error:
            return JSONResponse({"detail": str(error)}, 422)
        if engine is None:
            return JSONResponse({"detail": f"Choose a {PRECISION} of {[*self._engines]}."}, 422)
        started = time.perf_counter()
        logits = await asyncio.to_thread(engine, values)
        elapsed_ms = (time.perf_counter() - started) * 1000
        shape, body = encode_logits(logits)
        headers = {SHAPE: shape, "Server-Timing": f"network;dur={elapsed_ms:.2f}"}
        return Response(body, headers=headers, media_type="application/octet-stream")


def deploy(models: dict[Variant, Checkpoint], scale: Scale, host: str, port: int) -> None:
    """Deploy models in the cluster that this process has joined, each under its key.

    Args:
        models: each variant's checkpoint, which travels to the replicas.
        scale: of each model.
        host, port: where each node with a replica answers.
    """
    from ray import serve  # noqa: PLC0415

    serve.start(
        proxy_location="EveryNode",
        http_options={
            "host": host,
            "port": port,
            "keep_alive_timeout_s": 3600,
            "request_timeout_s": PATIENCE_S,  # without a replica, Serve would wait for ever
        },
    )
    for variant, checkpoint in models.items():
        options: dict[str, Any] = {
            "name": variant.key,
            "ray_actor_options": {
                "num_cpus": scale.cpus,
                "runtime_env": {"env_vars": {"CPU_CORES": str(scale.cpus)}},
            },
            "max_ongoing_requests": _HELD_EACH,
            "max_queued_requests": _MOST_WAITING,
            "health_check_period_s": 2,
            "health_check_timeout_s": 10,
            "graceful_shutdown_timeout_s": 5,
            "autoscaling_config": {
                "min_replicas": scale.least,
                "max_replicas": scale.most,
                "target_ongoing_requests": 1.5,
                "upscale_delay_s": 5,
            },
        }
        deployment = serve.deployment(Replica, **options)
        serve.run(
            deployment.bind(variant, _read_files(checkpoint)),
            name=variant.key,
            route_prefix=f"/{variant.key}",
        )


def _read_files(checkpoint: Checkpoint) -> dict[str, bytes]:
    weights = find_weights(checkpoint.folder)
    assert weights is not None, "a checkpoint that was read has weights"
    return {file.name: file.read_bytes() for file in (checkpoint.folder / CONFIG_FILE, weights)}
