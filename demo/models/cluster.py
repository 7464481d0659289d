"""Machines that run the networks for the app: a Ray cluster of a head and any number of others."""

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import demo
from demo.errors import InvalidOption, WeightsUnavailable
from demo.models.checkpoint import Checkpoint, NoWeights
from demo.models.loading import use_first
from demo.models.replicas import Scale, deploy
from demo.models.sources import BUNDLED_SOURCES, own_sources
from demo.variants import Variant

_START_S, _END_S = 60.0, 10.0

_SETTINGS = {
    # HAProxy carries requests to the replicas; Serve's own proxy, in Python, takes 10 ms for each.
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_AUTH_MODE": "token",
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "5",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""What Ray's processes get, unless the shell has other values."""

_RAY = [sys.executable, "-m", "ray.scripts.scripts"]

Say = Callable[[str], None]


def find_checkpoint(variant: Variant) -> Checkpoint:
    """Find the checkpoint that an app without a cluster would load.

    Raises:
        WeightsUnavailable: if there is none.
    """
    sources = {**own_sources(lambda fraction, sentence: None), **BUNDLED_SOURCES}
    try:
        return use_first(sources, variant, lambda checkpoint: checkpoint)[0]
    except NoWeights as error:
        raise WeightsUnavailable(
            f"{variant.label} has no weights on this machine: {error}."
        ) from None


def run_head(
    variants: list[Variant],
    scale: Scale,
    *,
    host: str,
    port: int,
    head_port: int,
    cpus: int | None,
    say: Say,
) -> int:
    """Start a cluster on this machine, deploy models, and serve until the process is stopped.

    Args:
        variants: to serve.
        scale: of each.
        host, port: where this machine and all that join answer the app.
        head_port: where other machines join.
        cpus: of this machine to use; all if None.
        say: is told each step in a sentence.

    Returns:
        The exit status.

    Raises:
        InvalidOption: if Ray is not installed, or does not start.
        WeightsUnavailable: if a variant has no weights.
    """
    models = {variant: find_checkpoint(variant) for variant in variants}
    if is_taken(head_port):
        raise InvalidOption(
            f"Port {head_port} is taken, by another cluster maybe. End that with: ray stop; or "
            "choose another --head-port."
        )
    say("Starting Ray")
    subprocess.run([*_RAY, "get-auth-token", "--generate"], capture_output=True, check=False)
    options = ["--head", f"--port={head_port}", "--include-dashboard=false"]
    with _Node([*options, *_cpus(cpus)]) as node:
        import ray  # noqa: PLC0415

        node.wait_until(lambda: _has_joined(f"127.0.0.1:{head_port}"))
        address = ray.get_runtime_context().gcs_address
        say(
            "Another machine with the same ~/.ray/auth_token joins with: "
            f"python -m demo serve-models --join {address}"
        )
        for variant, checkpoint in models.items():
            say(f"Deploying {variant.label} with the weights {checkpoint.source.name}")
        asked = scale.least * scale.cpus * len(models)
        if asked > ray.cluster_resources().get("CPU", 0):
            say(f"The replicas need {asked} CPUs. This waits until machines with as many joined.")
        try:
            deploy(models, scale, host, port)
        except RuntimeError as error:
            raise InvalidOption(f"The replicas did not start: {error}") from None
        ray.shutdown()  # the deployments stay; only this process leaves, with Ray's signal handlers
        node.heed_signals()
        say(f"Serving {', '.join(variant.label for variant in variants)} on port {port}.")
        return node.wait()


def run_node(head: str, cpus: int | None, say: Say) -> int:
    """Add this machine to a cluster until the process is stopped.

    Args:
        head: ``HOST:PORT``, as the head says it.
        cpus: see `run_head`.
        say: see `run_head`.

    Returns:
        The exit status.
    """
    say(f"Joining the cluster of {head}")
    with _Node([f"--address={head}", *_cpus(cpus)]) as node:
        return node.wait()


def is_taken(port: int) -> bool:
    """Tell whether something on this machine answers at a port."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _cpus(cpus: int | None) -> list[str]:
    return [] if cpus is None else [f"--num-cpus={cpus}"]


def _has_joined(head: str) -> bool:
    """Make this process part of the cluster, if it runs already."""
    import ray  # noqa: PLC0415

    try:
        ray.init(address=head, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError):
        return False
    return True


class _Node:
    """Ray on this machine, as a child of this process; ends with it.

    Raises:
        InvalidOption: if Ray is not installed.
    """

    def __init__(self, options: list[str]) -> None:
        if importlib.util.find_spec("ray") is None:
            raise InvalidOption(
                "Ray is not installed here. Give: scripts/install requirements-ray.txt"
            )
        os.environ.update(_SETTINGS | os.environ)
        # Replicas find this package, and their engine, by the environment of the node.
        os.environ["PYTHONPATH"] = str(Path(demo.__path__[0]).resolve().parent)
        os.environ |= {"SEGMENTATION_ENGINE": "auto", "SEGMENTATION_PRECISION": "auto"}
        self._command = [*_RAY, "start", "--block", *options]

    def __enter__(self) -> "_Node":
        self.heed_signals()
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, start_new_session=True
        )
        return self

    def heed_signals(self) -> None:
        """End `wait` when this process is told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # Ray would outlive an end that is cut short
        self._process.terminate()  # Ray lets the replicas of this machine finish what runs
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_END_S)
        _kill_session(self._process.pid)
        self._process.wait()

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Wait for Ray to start.

        Raises:
            InvalidOption: if it ends, or takes longer than a minute.
        """
        deadline = time.monotonic() + _START_S
        while not is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise InvalidOption("Ray did not start; its own message is above.")
            time.sleep(0.5)

    def wait(self) -> int:
        """Wait until Ray ends, or this process is told to stop."""
        try:
            return self._process.wait()
        except KeyboardInterrupt:
            return 0


def _kill_session(session: int) -> None:
    """Kill every process that Ray has started on this machine and left behind."""
    for path in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if path.name.isdecimal() and os.getsid(int(path.name)) == session:
                os.kill(int(path.name), signal.SIGKILL)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt
