"""Start servers on loopback, each in a process of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import ROOT


def free_port() -> int:
    """Find a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def run_app(folder: Path, root: Path = ROOT, **variables: str) -> Iterator[str]:
    """Run the app with its own Hub cache and yield its address; fail on a traceback in its log."""
    port = int(variables.get("GRADIO_SERVER_PORT", free_port()))
    environment = {
        **os.environ,
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "HF_HOME": str(folder / "hub"),
        **variables,
    }
    environment.pop("SEGMENTATION_CHECKPOINTS", None)
    log = folder / "log.txt"
    with run_server([sys.executable, "app.py"], port, log, environment, root) as address:
        yield address
    assert "Traceback" not in log.read_text()


@contextmanager
def run_server(
    command: list[str],
    port: int,
    log: Path,
    environment: dict[str, str] | None = None,
    root: Path = ROOT,
) -> Iterator[str]:
    """Run a server until the block ends; yield its address once it answers."""
    with log.open("w") as output:
        app = subprocess.Popen(command, cwd=root, env=environment, stdout=output, stderr=output)
    try:
        wait_for(f"http://127.0.0.1:{port}", app, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        app.wait(30)


def wait_for(address: str, app: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a server answers; fail with its log if it does not."""
    for _ in range(600):
        assert app.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the app did not answer: {log.read_text()}")


def copy_without(variant: str, folder: Path) -> Path:
    """Copy the app into a folder, without the bundled checkpoint of a variant."""
    for name in ("demo", "assets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", folder)
    shutil.rmtree(folder / "assets" / "checkpoints" / variant)
    return folder


def wait_for_port(port: int) -> None:
    """Wait until something listens on a port."""
    for _ in range(100):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"nothing listens on port {port}")
