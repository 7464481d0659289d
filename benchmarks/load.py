"""Many visitors at once: this app, and a plain Gradio app of the same model, on loopback.

    python -m benchmarks.load [--visitors 50] [--seconds 120] [--live 8] [--json FILE]

Each visitor uploads a photograph of its own (640×480), asks for its segmentation, fetches the
overlay, and begins anew; one that is told to wait does so. Live sessions keep one frame in flight
beside them (ours only: the plain app has none). Everything is bounded by the time given.
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
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from benchmarks.ours import make_photograph
from tests.browser.conftest import free_port, wait_for

API = "/gradio_api"
KEEP_MB = 100
"""So little of files is kept that trimming shows within the time of a run."""


@dataclass
class Figures:
    """What was seen during one run."""

    seconds: list[float] = field(default_factory=list)
    page_seconds: list[float] = field(default_factory=list)
    live_ages: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    state: list[tuple[int, float, int, int]] = field(default_factory=list)
    """(requests so far, resident MB, open files, temporary files)"""


@cache
def encode_photograph(side: int | None = None) -> bytes:
    """A JPEG, 640×480 or a square."""
    size = (side, side) if side else (640, 480)
    file = io.BytesIO()
    PIL.Image.fromarray(make_photograph((480, 640))).resize(size).save(file, "JPEG", quality=90)
    return file.getvalue()


def own_photograph(number: int) -> bytes:
    """The photograph with a comment in it, so that it is a file that no other visitor sends."""
    jpeg = encode_photograph()
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">HQ", 10, number) + jpeg[2:]


async def visit(client: httpx.AsyncClient, number: int, is_ours: bool) -> str:
    """One upload, segmentation and download; gives what came of it."""
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
        return "busy, told to wait"
    if joined.status_code != 200:
        return f"call {joined.status_code}"
    result = await client.get(f"{API}/call/segment/{joined.json()['event_id']}")
    kind, _, content = result.text.rpartition("event: ")[2].partition("\ndata: ")
    if kind != "complete":
        return f"result {kind}"
    overlay = await client.get(f"{API}/file={json.loads(content)[0]['path']}")
    return "done" if overlay.status_code == 200 else f"file {overlay.status_code}"


async def keep_visiting(
    address: str, number: int, is_ours: bool, until: float, figures: Figures
) -> None:
    """One visitor after the other in the same place, each from the place's own address."""
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
            figures.outcomes[outcome] += 1
            if outcome == "done":
                figures.seconds.append(time.perf_counter() - started)
            turn += 1


async def keep_live(address: str, number: int, until: float, figures: Figures) -> None:
    """One live session; refused ones try again."""
    jpeg = encode_photograph(256)
    headers = {"X-Forwarded-For": f"198.51.100.{number}"}
    url = address.replace("http", "ws") + "/live"
    while time.perf_counter() < until:
        with suppress(WebSocketException, OSError):
            async with connect(url, additional_headers=headers, max_size=None) as socket:
                if "error" in json.loads(await socket.recv()):
                    figures.outcomes["live: busy, told to wait"] += 1
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
    """Once a second, the time of the page itself, and what the server holds."""
    async with httpx.AsyncClient(base_url=address, timeout=60, verify=False) as client:
        while time.perf_counter() < until:
            started = time.perf_counter()
            await client.get("/")
            figures.page_seconds.append(time.perf_counter() - started)
            figures.state.append((figures.outcomes.total(), *server_state(pid, folder)))
            await asyncio.sleep(1)


def server_state(pid: int, folder: Path) -> tuple[float, int, int]:
    """Resident MB, open files and temporary files of a server."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    files = sum(len(names) for _, _, names in os.walk(folder))
    return int(resident.split()[1]) / 1024, len(os.listdir(f"/proc/{pid}/fd")), files  # noqa: PTH208


async def load(
    address: str, folder: Path, pid: int, options: argparse.Namespace, is_ours: bool
) -> Figures:
    """Let all visitors in at once."""
    figures = Figures()
    until = time.perf_counter() + options.seconds
    work: list[Awaitable[None]] = [watch(address, folder, pid, until, figures)]
    work += [
        keep_visiting(address, number, is_ours, until, figures)
        for number in range(options.visitors)
    ]
    if is_ours:
        work += [keep_live(address, number, until, figures) for number in range(options.live)]
    await asyncio.gather(*work)
    return figures


def summarise(figures: Figures, seconds: float) -> dict[str, Any]:
    """One column of the table."""

    def percentile(values: list[float], share: float) -> float:
        return float(np.percentile(values, share)) if values else float("nan")

    settled = figures.state[len(figures.state) // 2 :]
    requests, *held = np.array(settled, float).T if len(settled) > 2 else np.full((4, 3), np.nan)
    slopes = [float(np.polyfit(requests, values, 1)[0] * 1000) for values in held]
    return {
        "segmentations per second": len(figures.seconds) / seconds,
        "p50, s": percentile(figures.seconds, 50),
        "p95, s": percentile(figures.seconds, 95),
        "p99, s": percentile(figures.seconds, 99),
        "page itself, p50, s": percentile(figures.page_seconds, 50),
        "page itself, slowest, s": percentile(figures.page_seconds, 100),
        "live results per second": len(figures.live_ages) / seconds,
        "live age p95, s": percentile(figures.live_ages, 95),
        "resident MB at the end": held[0][-1],
        "MB per 1000 requests": slopes[0],
        "open files per 1000 requests": slopes[1],
        "temporary files at the end": held[2][-1],
        "temporary files per 1000 requests": slopes[2],
        "outcomes": dict(figures.outcomes),
    }


def measure(module: list[str], options: argparse.Namespace, is_ours: bool) -> dict[str, Any]:
    """Start a server, load it, stop it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_TEMP_DIR": str(folder / "files"),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_OFFLINE": "1",
            "SEGMENTATION_KEEP_MB": str(KEEP_MB),
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
    """Wait until the network is loaded."""
    async with httpx.AsyncClient(base_url=address, timeout=120) as client:
        while await visit(client, 0, is_ours) != "done":
            await asyncio.sleep(0.5)


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
