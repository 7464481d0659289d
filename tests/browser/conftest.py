"""One app with the bundled checkpoints and no Hub, and one Chromium, for all browser tests."""

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
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.test_architecture import ROOT

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def find_chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("The browser tests need Chromium on PATH.")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def run_app(folder: Path, root: Path = ROOT, **variables: str) -> Iterator[str]:
    """Run the app with its own cache; gives its address. Its log must hold no traceback."""
    port = free_port()
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
    """Run a server until the block ends; gives its address as soon as it answers."""
    with log.open("w") as output:
        app = subprocess.Popen(command, cwd=root, env=environment, stdout=output, stderr=output)
    try:
        wait_for(f"http://127.0.0.1:{port}", app, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        app.wait(10)


def launch_chromium(playwright: Playwright, *flags: str) -> Browser:
    """Debian's Chromium, headless, with flags beside those of all tests."""
    return playwright.chromium.launch(
        executable_path=find_chromium(), args=[*CHROMIUM_FLAGS, *flags]
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app with the bundled checkpoints and no Hub."""
    with run_app(tmp_path_factory.mktemp("server"), HF_HUB_OFFLINE="1") as address:
        yield address


def copy_without(variant: str, folder: Path) -> Path:
    """A copy of the app in which a variant has no bundled checkpoint."""
    for name in ("demo", "assets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", folder)
    shutil.rmtree(folder / "assets" / "checkpoints" / variant)
    return folder


@pytest.fixture(scope="session")
def server_without_s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that has nothing bundled for S, and no Hub."""
    folder = tmp_path_factory.mktemp("without-s")
    root = copy_without("s", tmp_path_factory.mktemp("root"))
    with run_app(folder, root, HF_HUB_OFFLINE="1") as address:
        yield address


def wait_for(address: str, app: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        assert app.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the app did not answer: {log.read_text()}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for all: a thread can hold no second."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch_chromium(playwright)
    yield browser
    browser.close()


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """The page, ready; no request leaves the machine and no script fails."""
    with open_page(chromium, server) as page:
        yield page


@pytest.fixture
def page_without_s(chromium: Browser, server_without_s: str) -> Iterator[Page]:
    """The same of an app that has nothing bundled for S."""
    with open_page(chromium, server_without_s) as page:
        yield page


@contextmanager
def open_page(chromium: Browser, address: str, script: str = "") -> Iterator[Page]:
    """A page of its own; no request may leave the machine and no script fail.

    Args:
        chromium: a browser.
        address: of the app.
        script: JavaScript to run before the page's own.
    """
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(script)
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:", "blob:"))
            else trouble.append(request.url)
        ),
    )
    page.goto(address)
    page.locator("#status", has_text="Ready").wait_for(timeout=60_000)
    yield page
    context.close()
    assert not trouble
