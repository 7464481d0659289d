"""Machines of a Ray cluster, each a process on this one."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from tests.support import ROOT
from tests.support.server import free_port

PYTHON = ROOT / ".venv-ray" / "bin" / "python"
READY = ("Serving", "Joining")


class Machine:
    """What ``python -m demo serve-models`` runs: the head of a cluster, or a machine that joins it.

    Attributes:
        port: where it answers the app.
    """

    def __init__(
        self, log: Path, *arguments: str, port: int | None = None, **settings: str
    ) -> None:
        self.port = port or free_port()
        self._log = log
        command = [str(PYTHON), "-m", "demo", "serve-models", *arguments]
        with log.open("w") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "HF_HUB_OFFLINE": "1", **settings},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        for _ in range(900):
            if any(line.startswith(READY) for line in self._log.read_text().splitlines()):
                return
            assert self._process.poll() is None, self._log.read_text()
            time.sleep(0.2)
        raise AssertionError(self._log.read_text())

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def replicas(self) -> list[int]:
        """List the processes of its replicas."""
        return [pid for pid in self._processes() if _name_of(pid).startswith("ray::ServeReplica")]

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()

    def kill(self) -> None:
        """Kill all of its processes at once, as the kernel does where memory ends."""
        pids = [*self._processes(), self._process.pid]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)  # so that none starts another one meanwhile
        for pid in [*self._processes(), *pids]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        """Tell it to stop, as its owner would, and check that nothing of it stays."""
        processes = self._processes()
        self._process.terminate()
        self._process.wait(40)
        left = [pid for pid in processes if _name_of(pid)]
        assert not left, left

    def _processes(self) -> list[int]:
        """List what Ray has started: a session of its own, that of the child of our process."""
        pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
        heads = [pid for pid in pids if _parent_of(pid) == self._process.pid]
        return [pid for pid in pids if _session_of(pid) in heads]


def start_head(folder: Path, port: int, head_port: int, *arguments: str) -> Machine:
    """Start a head that serves XXS with at most two replicas of one CPU each."""
    counts = ("--most", "2", "--variant", "xxs")
    ports = ("--port", str(port), "--head-port", str(head_port))
    return Machine(folder / "head.txt", *counts, *ports, *arguments, port=port)


def start_other(folder: Path, head_port: int) -> Machine:
    """Add a machine with one CPU, on ports of its own because it shares this host."""
    port = free_port()
    ports = {
        "RAY_SERVE_WORKER_PROXY_HTTP_PORT": str(port),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(free_port()),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(free_port()),
    }
    arguments = ("--join", f"127.0.0.1:{head_port}", "--use-cpus", "1")
    return Machine(folder / "other.txt", *arguments, port=port, **ports)


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().partition("\0")[0]
    except OSError:
        return ""


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0
