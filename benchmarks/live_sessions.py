"""Run several live sessions on one server: results per second, their age, the server's memory.

    python -m benchmarks.live_sessions [--sessions 4] [--side 256] [--seconds 20] [--slow-ms 0]

Each session is a client that has one frame under way at a time, as the page does. `--slow-ms`
makes each forward pass so much longer; age and memory must stay bounded then, too.
"""

import argparse
import asyncio
import io
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import PIL.Image
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from websockets.asyncio.client import connect

from benchmarks.ours import load_bundled, make_photograph
from demo.models.engines.contract import Engine
from demo.models.model import Model
from demo.models.registry import Registry
from demo.web import live_socket
from tests.support.server import free_port


class SlowEngine:
    """An engine whose forward pass takes some milliseconds longer."""

    def __init__(self, engine: Engine, slow_ms: float) -> None:
        self._engine, self._slow_s = engine, slow_ms / 1000
        self.precision = engine.precision

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network, then wait."""
        logits = self._engine(pixel_values)
        time.sleep(self._slow_s)
        return logits


def serve(port: int, slow_ms: float) -> None:
    """Serve the live view's socket without the page."""
    loaded = load_bundled("xxs")
    engine = loaded.fast.engine
    if slow_ms:
        engine = SlowEngine(engine, slow_ms)
    registry = Registry(lambda variant, _: Model(variant, engine, loaded.weights))
    live_socket.default_registry = lambda: registry  # type: ignore[attr-defined]
    app = Starlette(routes=[live_socket.live_route()])
    uvicorn.run(app, port=port, log_level="warning")


async def run_session(address: str, jpeg: bytes, seconds: float) -> list[float]:
    """Run one session; give the ages of its results in ms."""
    ages: list[float] = []
    async with connect(address, max_size=None) as socket:
        await socket.recv()
        until = time.perf_counter() + seconds
        while (taken := time.perf_counter()) < until:
            await socket.send(jpeg)
            await socket.recv()
            ages.append((time.perf_counter() - taken) * 1000)
    return ages


async def run_sessions(address: str, sessions: int, jpeg: bytes, seconds: float) -> None:
    """Run sessions at the same time and print a line for each."""
    together = [run_session(address, jpeg, seconds) for _ in range(sessions)]
    for number, ages in enumerate(await asyncio.gather(*together), start=1):
        half = len(ages) // 2
        print(
            f"| {number} | {len(ages) / seconds:.1f} | {np.percentile(ages, 50):.0f} "
            f"| {np.percentile(ages, 95):.0f} | {np.median(ages[:half]):.0f} "
            f"| {np.median(ages[half:]):.0f} |"
        )


def resident_mb(pid: int) -> float:
    """Read the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def encode_frame(side: int) -> bytes:
    """Encode the astronaut as a frame of the live view."""
    file = io.BytesIO()
    PIL.Image.fromarray(make_photograph((side, side))).save(file, "JPEG", quality=80)
    return file.getvalue()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_sessions", description=__doc__)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--slow-ms", type=float, default=0.0)
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.slow_ms)
        return
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.live_sessions", "--serve", str(port)]
    with subprocess.Popen([*command, "--slow-ms", str(options.slow_ms)]) as server:
        try:
            address, jpeg = f"ws://127.0.0.1:{port}/live", encode_frame(options.side)
            asyncio.run(_wait_and_run(address, options, jpeg, server.pid))
        finally:
            server.terminate()


async def _wait_and_run(
    address: str, options: argparse.Namespace, jpeg: bytes, server_pid: int
) -> None:
    for _ in range(100):
        try:
            await run_session(address, jpeg, 1.0)
            break
        except OSError:
            await asyncio.sleep(0.2)
    before = resident_mb(server_pid)
    print("| session | results/s | age ms, median | 95 % | median of first half | of second half |")
    print("|" + "---|" * 6)
    await run_sessions(address, options.sessions, jpeg, options.seconds)
    print(f"memory of the server: {before:.0f} MiB before, {resident_mb(server_pid):.0f} MiB after")


if __name__ == "__main__":
    main()
