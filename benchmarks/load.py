"""Load this app, and then a plain Gradio app of the same model, with many visitors at once.

    python -m benchmarks.load [--visitors 50] [--seconds 120] [--live 8] [--json FILE]

Each visitor uploads a photograph that no other sends (640×480), requests its segmentation, fetches
the overlay, and starts again; when the server says how long to wait, the visitor waits. Beside them
run live sessions, each with one frame under way at a time, in our app only: the plain one has none.
Both servers run on loopback, one after the other, for the given number of seconds.
"""

import argparse
import asyncio
import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from benchmarks.ours import make_photograph
from tests.support.server import free_port, wait_for

API = "/gradio_api"
STORED_MB = 100
"""A small limit on stored files, so that trimming begins within a run."""
LOADING_S = 300
"""How long a server may take until its first visit succeeds."""


@dataclass
class Figures:
    """The measurements of one run.

    Attributes:
        seconds: from upload to overlay, for each finished visit.
        page_seconds: for each request of the page itself.
        live_ages: seconds from sending a frame to its result.
        outcomes: how often each outcome of a visit occurred.
        state: (requests so far, resident MB, open files, temporary files), once a second.
    """

    seconds: list[float] = field(default_factory=list)
    page_seconds: list[float] = field(default_factory=list)
    live_ages: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    state: list[tuple[int, float, int, int]] = field(default_factory=list)


@cache
def encode_photograph(side: int | None = None) -> bytes:
    """Encode the astronaut as a JPEG, 640×480 or a square of this side."""
    size = (side, side) if side else (640, 480)
    file = io.BytesIO()
    PIL.Image.fromarray(make_photograph((480, 640))).resize(size).save(file, "JPEG", quality=90)
    return file.getvalue()


def own_photograph(number: int) -> bytes:
    """Give the photograph with a number as comment: a file that no other visitor sends."""
    jpeg = encode_photograph()
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">HQ", 10, number) + jpeg[2:]


async def visit(client: httpx.AsyncClient, number: int, is_ours: bool) -> str:
    """Upload, segment and download once; give the outcome."""
    upload = await client.post(
        f"{API}/upload", files={"files": (f"{number}.jpg", own_photograph(number))}
    )
    if upload.status_code != 200:
        return f"upload {upload.status_code}"
    photo = {"path": upload.json()[0], "meta": {"_type": "gradio.FileData"}}
    values = [photo, "xxs", "whole"] if is_ours else [photo]
    joined = await client.post(f"{API}/call/segment", json={"data": values})
    if joined.status_code in (429, 503):
        await asyncio.sleep(min(float(joined.headers.get("Retry-After", 1)), 10))
        return "busy, asked to wait"
    if joined.status_code != 200:
        return f"call {joined.status_code}"
    result = await client.get(f"{API}/call/segment/{joined.json()['event_id']}")
    kind, _, content = result.text.rpartition("event: ")[2].partition("\ndata: ")
    if kind != "complete":
        return f"result {kind}"
    overlay = await client.get(f"{API}/file={json.loads(content)[0]['path']}")
    return "done" if overlay.status_code == 200 else f"file {overlay.status_code}"


async def repeat_visits(
    address: str, number: int, is_ours: bool, until: float, figures: Figures
) -> None:
    """Run visits from one address, one after the other, until the time is up."""
    headers = {"X-Forwarded-For": f"203.0.113.{number}"}
    async with httpx.AsyncClient(
        base_url=address, headers=headers, timeout=60, verify=False
    ) as client:
        turn = 0
        while time.perf_counter() < until:
            started = time.perf_counter()
            try:
                outcome = await visit(client, number + 256 * turn, is_ours)
            except httpx.HTTPError as error:
                outcome = type(error).__name__
                await asyncio.sleep(1)
            except (ValueError, LookupError, TypeError):
                outcome = "answer not understood"
            figures.outcomes[outcome] += 1
            if outcome == "done":
                figures.seconds.append(time.perf_counter() - started)
            turn += 1


async def run_live_session(address: str, number: int, until: float, figures: Figures) -> None:
    """Run a live session until the time is up; try again when it is refused or breaks."""
    jpeg = encode_photograph(256)
    headers = {"X-Forwarded-For": f"198.51.100.{number}"}
    url = address.replace("http", "ws") + "/live"
    while time.perf_counter() < until:
        with suppress(WebSocketException, OSError):
            async with connect(url, additional_headers=headers, max_size=None) as socket:
                if "error" in json.loads(await socket.recv()):
                    figures.outcomes["live: busy, asked to wait"] += 1
                    await asyncio.sleep(5)
                    continue
                while (taken := time.perf_counter()) < until:
                    await socket.send(jpeg)
                    await socket.recv()
                    figures.live_ages.append(time.perf_counter() - taken)
                return
        figures.outcomes["live: broken"] += 1
        await asyncio.sleep(1)


async def watch(address: str, folder: Path, pid: int, until: float, figures: Figures) -> None:
    """Measure once a second how fast the page is and what the server holds."""
    async with httpx.AsyncClient(base_url=address, timeout=60, verify=False) as client:
        while time.perf_counter() < until:
            started = time.perf_counter()
            try:
                await client.get("/")
                figures.page_seconds.append(time.perf_counter() - started)
                figures.state.append((figures.outcomes.total(), *server_state(pid, folder)))
            except (httpx.HTTPError, OSError) as error:
                figures.outcomes[f"page: {type(error).__name__}"] += 1
            await asyncio.sleep(1)


def server_state(pid: int, folder: Path) -> tuple[float, int, int]:
    """Read a server's resident MB and count its open and temporary files."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    files = sum(len(names) for _, _, names in os.walk(folder))
    return int(resident.split()[1]) / 1024, len(os.listdir(f"/proc/{pid}/fd")), files  # noqa: PTH208


async def load(
    address: str, folder: Path, pid: int, options: argparse.Namespace, is_ours: bool
) -> Figures:
    """Start all visitors and live sessions at the same time."""
    figures = Figures()
    until = time.perf_counter() + options.seconds
    work: list[Awaitable[None]] = [watch(address, folder, pid, until, figures)]
    work += [
        repeat_visits(address, number, is_ours, until, figures)
        for number in range(options.visitors)
    ]
    if is_ours:
        work += [
            run_live_session(address, number, until, figures) for number in range(options.live)
        ]
    await asyncio.gather(*work)
    return figures


def slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Fit a line; give its slope, or NaN where nothing was measured or x does not change."""
    if np.isnan(x).any() or np.ptp(x) == 0:
        return float("nan")
    return float(np.polyfit(x, y, 1)[0])


def summarise(figures: Figures, seconds: float) -> dict[str, Any]:
    """Compute one column of the table: name of a figure -> its value."""

    def percentile(values: list[float], percent: float) -> float:
        return float(np.percentile(values, percent)) if values else float("nan")

    settled = figures.state[len(figures.state) // 2 :]
    requests, *held = np.array(settled, float).T if len(settled) > 2 else np.full((4, 3), np.nan)
    slopes = [slope(requests, values) * 1000 for values in held]
    return {
        "segmentations per second": len(figures.seconds) / seconds,
        "from upload to overlay, s, median": percentile(figures.seconds, 50),
        "from upload to overlay, s, 95 %": percentile(figures.seconds, 95),
        "from upload to overlay, s, 99 %": percentile(figures.seconds, 99),
        "page itself, s, median": percentile(figures.page_seconds, 50),
        "page itself, s, slowest": percentile(figures.page_seconds, 100),
        "live results per second": len(figures.live_ages) / seconds,
        "age of a live result, s, 95 %": percentile(figures.live_ages, 95),
        "resident MB at the end": held[0][-1],
        "MB per 1000 requests": slopes[0],
        "open files per 1000 requests": slopes[1],
        "temporary files at the end": held[2][-1],
        "temporary files per 1000 requests": slopes[2],
        "outcomes": dict(figures.outcomes),
    }


def measure(module: list[str], options: argparse.Namespace, is_ours: bool) -> dict[str, Any]:
    """Start a server, load it with visitors and stop it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_TEMP_DIR": str(folder / "files"),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_OFFLINE": "1",
            "SEGMENTATION_KEEP_MB": str(STORED_MB),
        }
        log = folder / "log.txt"
        with log.open("w") as output:
            server = subprocess.Popen(
                [sys.executable, *module], env=environment, stdout=output, stderr=output
            )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, server, log)
            asyncio.run(visit_once(address, is_ours))
            figures = asyncio.run(load(address, folder / "files", server.pid, options, is_ours))
        finally:
            server.terminate()
            server.wait(15)
        if "Traceback" in log.read_text():
            figures.outcomes["tracebacks in the log"] += 1
    return summarise(figures, options.seconds)


async def visit_once(address: str, is_ours: bool) -> None:
    """Repeat one visit until it succeeds, which is when the network is loaded.

    Raises:
        TimeoutError: if none succeeds.
    """
    outcome = ""
    until = time.perf_counter() + LOADING_S
    async with httpx.AsyncClient(base_url=address, timeout=120) as client:
        while time.perf_counter() < until:
            try:
                outcome = await visit(client, 0, is_ours)
            except httpx.HTTPError as error:
                outcome = type(error).__name__
            if outcome == "done":
                return
            await asyncio.sleep(0.5)
    raise TimeoutError(f"No visit succeeded in {LOADING_S} s; the last one ended as: {outcome}.")


def main() -> None:
    """Measure both and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--live", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    ours = measure(["app.py"], options, is_ours=True)
    plain = measure(["-m", "benchmarks.load_peer"], options, is_ours=False)
    show: Callable[[Any], str] = lambda value: f"{value:.2f}"  # noqa: E731
    print("| | this app | plain Gradio app |\n|---|---|---|")
    for name, value in ours.items():
        if name != "outcomes":
            print(f"| {name} | {show(value)} | {show(plain[name])} |")
    print("\nours:", ours["outcomes"], "\nplain:", plain["outcomes"])
    if options.json:
        options.json.write_text(json.dumps({"ours": ours, "plain": plain}, indent=1))


if __name__ == "__main__":
    main()
