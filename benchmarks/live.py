"""Compare the live view with gr.Image streaming: results per second, their age, and bytes.

    python -m benchmarks.live [--seconds N] [--json FILE]
    python -m benchmarks.live --soak 300

Both run in the same headless Chromium with the same fake camera (640×480, 30 frames/s: a
photograph of a person, with the number of each frame as a bar code in its top rows) and segment
with the same engine, one after the other, in several rounds. Where the processor computes in bf16,
that is an engine in bf16, and ours is also measured in f32. Our age is what the live view itself
measures, from taking a frame to having painted its result. The peer's age is the difference between
the bar codes of the camera's frame and of the result at the same moment. A result of the peer whose
image is broken, or is replaced before it is complete, is skipped and counted. With --soak, ours
runs alone for so many seconds at each side, and its median age is printed for each minute. The
script needs Chromium and the packages of requirements-dev.txt.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import PIL.Image
from playwright.sync_api import Browser, Error, Page, sync_playwright

from benchmarks.ours import make_photograph
from demo.cpus import computes_in_bf16
from tests.support.browser import launch_chromium
from tests.support.server import free_port, run_app, run_server

FPS = 30
FRAMES = 64
BITS = 6
WIDTH, HEIGHT, BAR = 640, 480, 16


@dataclass(frozen=True)
class Row:
    """Medians over rounds; ages in ms, bytes in both directions together.

    Attributes:
        skipped: sum over rounds of the results whose image could not be read.
    """

    who: str
    side: int
    results_per_s: float
    age_ms_p50: float
    age_ms_p95: float
    bytes_per_s: float
    skipped: int


def write_video(file: Path) -> Path:
    """Write the camera's video; frame i shows i as BITS black or white bars at its top."""
    photograph = PIL.Image.fromarray(make_photograph((640, 640))[:HEIGHT]).convert("YCbCr")
    y, cb, cr = (np.asarray(plane).copy() for plane in photograph.split())
    quarter = [p.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3)) for p in (cb, cr)]
    for plane in quarter:
        plane[: BAR // 2] = 128
    with file.open("wb") as video:
        video.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(FRAMES):
            for bit in range(BITS):
                columns = slice(bit * WIDTH // BITS, (bit + 1) * WIDTH // BITS)
                y[:BAR, columns] = 235 if number >> bit & 1 else 16
            video.write(b"FRAME\n" + y.tobytes())
            video.writelines(plane.astype(np.uint8).tobytes() for plane in quarter)
    return file


def count_bytes(page: Page) -> list[int]:
    """Count bytes from now on; the one number in the list grows with each sent or received byte."""
    total = [0]
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")

    def add(size: float) -> None:
        total[0] += int(size)

    for name in ("webSocketFrameSent", "webSocketFrameReceived"):
        devtools.on(
            f"Network.{name}",
            lambda event: add(
                len(event["response"]["payloadData"])
                * (3 / 4 if event["response"]["opcode"] == 2 else 1)
            ),
        )
    devtools.on("Network.dataReceived", lambda event: add(event["dataLength"]))
    devtools.on(
        "Network.requestWillBeSent",
        lambda event: add(len(event["request"].get("postData", ""))),
    )
    return total


def run_ours(
    page: Page, address: str, side: int, seconds: float, *, in_f32: bool = False
) -> tuple[list[float], int]:
    """Run the live view at a fixed side; give the ages of its results in ms, and the bytes."""
    page.goto(address)
    page.get_by_role("tab", name="Live").click()
    page.locator(".live [name=side]").select_option(str(side))
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".live .stats", has_text="frames/s").wait_for(timeout=60_000)
    if in_f32:
        page.get_by_label("Full precision").check()
        page.locator(".live .message", has_text="in f32").wait_for()
    page.wait_for_timeout(3000)
    total = count_bytes(page)
    page.evaluate(
        """() => {
            const live = document.querySelector(".live");
            live.log = [];
            live.addEventListener("result", ({ detail }) => live.log.push(detail.age));
        }"""
    )
    before = total[0]
    page.wait_for_timeout(seconds * 1000)
    ages = page.evaluate("document.querySelector('.live').log")
    spent = total[0] - before
    page.get_by_role("button", name="Stop").click()
    return ages, spent


def soak(browser: Browser, folder: Path, seconds: float) -> None:
    """Run ours alone at each side; print the median age of each minute."""
    for side in (256, 512):
        with run_app(folder, HF_HUB_OFFLINE="1") as address:
            page = open_page(browser)
            ages, _ = run_ours(page, address, side, seconds)
            page.context.close()
        minutes = np.array_split(np.array(ages), max(1, round(seconds / 60)))
        medians = " ".join(f"{np.median(minute):.0f}" for minute in minutes)
        print(f"side {side}: {len(ages) / seconds:.1f} results/s, age by minute in ms: {medians}")


READ_PEER = """async ([seconds, bits, bar, frames, fps]) => {
    const canvas = document.createElement("canvas");
    canvas.width = bits;
    canvas.height = 1;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const number = (picture, height) => {
        context.drawImage(picture, 0, height * 0.3, picture.videoWidth || picture.naturalWidth,
            height * 0.4, 0, 0, bits, 1);
        const { data } = context.getImageData(0, 0, bits, 1);
        let found = 0;
        for (let bit = 0; bit < bits; bit++) found |= (data[4 * bit] > 128) << bit;
        return found;
    };
    const video = document.querySelector("#camera video");
    const age = (result) => {
        const behind = number(video, bar) - number(result, bar);
        return (((behind % frames) + frames) % frames) * 1000 / fps;
    };
    const ages = [];
    let skipped = 0;
    let current = "";
    let isDone = true;
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) {
        const result = document.querySelector("#result img");
        if (result && result.src !== current) {
            if (!isDone) skipped++;
            current = result.src;
            isDone = false;
        }
        if (result && !isDone && result.complete) {
            isDone = true;
            try {
                ages.push(age(result));
            } catch (error) {
                if (error.name !== "InvalidStateError") throw error;
                skipped++; // the image is broken
            }
        }
        await new Promise((done) => setTimeout(done, 5));
    }
    return [ages, skipped];
}"""


def measure_peer(page: Page, address: str, side: int, seconds: float) -> Row:
    """Measure gr.Image streaming for some seconds.

    Raises:
        playwright.sync_api.Error: if the page shows no result.
    """
    page.goto(f"{address}/?__theme=light")
    page.locator("#camera").get_by_text("Click to Access Webcam").click(timeout=30_000)
    page.wait_for_function("document.querySelector('#camera video')?.currentTime > 0")
    page.locator("#camera button", has_text="Record").click()
    page.locator("#result img").wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    total = count_bytes(page)
    before = total[0]
    ages, skipped = page.evaluate(READ_PEER, [seconds, BITS, BAR, FRAMES, FPS])
    row = _row("gr.Image", side, ages, total[0] - before, seconds)
    return replace(row, skipped=skipped)


def _row(who: str, side: int, ages: list[float], spent: int, seconds: float) -> Row:
    return Row(
        who,
        side,
        len(ages) / seconds,
        float(np.percentile(ages or [np.nan], 50)),
        float(np.percentile(ages or [np.nan], 95)),
        spent / seconds,
        skipped=0,
    )


@contextmanager
def run_peer(folder: Path, side: int) -> Iterator[str]:
    """Run a Gradio app that streams with gr.Image, in a process of its own; yield its address."""
    port, log = free_port(), folder / f"peer-{side}.txt"
    command = [sys.executable, "-m", "benchmarks.live_peer", str(port), str(side)]
    with run_server(command, port, log) as address:
        yield address


def open_page(browser: Browser) -> Page:
    """Open a page of its own that may use the camera."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["camera"])
    return context.new_page()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=float, metavar="SECONDS", default=0.0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    rows: list[Row] = []
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        video = write_video(folder / "video.y4m")
        browser = launch_chromium(playwright, f"--use-file-for-fake-video-capture={video}")
        if options.soak:
            soak(browser, folder, options.soak)
            return
        for side in (256, 512):
            ours: dict[str, list[Row]] = {}
            peers: list[Row] = []
            for _ in range(options.rounds):
                with run_app(folder, HF_HUB_OFFLINE="1") as address:
                    for who in ["ours", *(["ours, f32"] if computes_in_bf16() else [])]:
                        page = open_page(browser)
                        ages, spent = run_ours(
                            page, address, side, options.seconds, in_f32=who == "ours, f32"
                        )
                        row = _row(who, side, ages, spent, options.seconds)
                        ours.setdefault(who, []).append(row)
                        page.context.close()
                time.sleep(1)
                with run_peer(folder, side) as address:
                    page = open_page(browser)
                    try:
                        peers.append(measure_peer(page, address, side, options.seconds))
                    except Error as error:
                        print(f"A round of gr.Image at side {side} failed: {error}")
                    page.context.close()
            rows += [_median(rounds) for rounds in (*ours.values(), peers) if rounds]
        browser.close()
    print("| | side | results/s | age ms, median | age ms, 95 % | kB/s both ways |")
    print("|" + "---|" * 6)
    for row in rows:
        print(
            f"| {row.who} | {row.side} | {row.results_per_s:.1f} | {row.age_ms_p50:.0f} "
            f"| {row.age_ms_p95:.0f} | {row.bytes_per_s / 1000:.0f} |"
        )
    skipped = sum(row.skipped for row in rows)
    print(f"\nresults of gr.Image that were skipped, broken or never complete: {skipped}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def _median(rows: list[Row]) -> Row:
    def median(name: str) -> float:
        return float(np.nanmedian([getattr(row, name) for row in rows]))

    return Row(
        rows[0].who,
        rows[0].side,
        median("results_per_s"),
        median("age_ms_p50"),
        median("age_ms_p95"),
        median("bytes_per_s"),
        sum(row.skipped for row in rows),
    )


if __name__ == "__main__":
    main()
