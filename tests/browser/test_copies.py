"""Two copies of the app behind a real nginx that keeps each visitor on one of them."""

import json
import os
import signal
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from demo.models.cluster import is_taken
from tests.browser.test_proxy import use_everything
from tests.support.browser import (
    ASTRONAUT,
    CAT,
    choose_variant,
    table_rows,
    upload,
    wait_for_result,
)
from tests.support.nginx import copies_server, run_nginx
from tests.support.server import run_app


def open_visitor(chromium: Browser, address: str) -> Page:
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    page.locator("#status", has_text="Ready").wait_for(timeout=60_000)
    return page


def copy_of(page: Page) -> str:
    """Tell the copies apart by the number that Gradio gives each process."""
    answer = page.request.get(f"{page.url.partition('#')[0]}config")
    return str(json.loads(answer.text())["app_id"])  # JavaScript would round it


def copy_at(address: str) -> str:
    with urllib.request.urlopen(f"{address}/config", timeout=10) as answer:
        return str(json.load(answer)["app_id"])


def meet_both(chromium: Browser, address: str) -> dict[str, Page]:
    """Let visitors come until each copy has one; a new one is on either with equal chances."""
    visitors: dict[str, Page] = {}
    for _ in range(30):
        page = open_visitor(chromium, address)
        if copy_of(page) in visitors:
            page.context.close()
            continue
        visitors[copy_of(page)] = page
        if len(visitors) == 2:
            break
    return visitors


def kill_app(port: int) -> None:
    """Kill the app that serves a port, as the kernel does where memory ends."""
    setting = f"GRADIO_SERVER_PORT={port}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if setting in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
    while is_taken(port):  # a process that dies still accepts connections for a moment
        time.sleep(0.05)


def segment_sample_clip(page: Page) -> None:
    page.get_by_role("tab", name="Video").click()
    page.get_by_role("button", name="Try the sample clip").click()
    page.get_by_role("button", name="Segment the video").click()
    link = page.get_by_role("button", name="Download the video")
    link.wait_for(timeout=60_000)
    with page.expect_download(timeout=30_000) as download:
        link.click()
    assert download.value.path().stat().st_size > 10_000


def test_each_visitor_stays_on_a_copy_and_goes_on_when_it_is_killed(
    chromium: Browser, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        copies: dict[str, int] = {}
        for number in range(2):
            folder = tmp_path / str(number)
            folder.mkdir()
            app = stack.enter_context(run_app(folder, HF_HUB_OFFLINE="1", SEGMENTATION_PROXIES="1"))
            copies[copy_at(app)] = int(app.rpartition(":")[2])
        port, text = copies_server(*copies.values())
        stack.enter_context(run_nginx(tmp_path / "nginx", [(port, text)]))
        visitors = meet_both(chromium, f"http://127.0.0.1:{port}")
        assert set(visitors) == set(copies)
        ended, kept = copies
        use_everything(visitors[kept])
        segment_sample_clip(visitors[kept])
        visitors[kept].get_by_role("tab", name="Image").click()
        upload(visitors[ended], CAT)
        wait_for_result(visitors[ended])
        kill_app(copies[ended])
        choose_variant(visitors[ended], "XS")
        expect(visitors[ended].locator("#status")).to_contain_text(
            "The file is no longer on the server", timeout=30_000
        )
        upload(visitors[ended], ASTRONAUT)
        wait_for_result(visitors[ended])
        assert "person" in table_rows(visitors[ended])
        choose_variant(visitors[kept], "XS")
        wait_for_result(visitors[kept])
        for page in visitors.values():
            page.context.close()
