"""One app with the bundled checkpoints and no Hub, and one Chromium, for all browser tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.support.browser import launch_chromium, open_page
from tests.support.server import copy_without, run_app


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, converted: None) -> Iterator[str]:
    """The address of an app with the bundled checkpoints, MCP and no Hub."""
    folder = tmp_path_factory.mktemp("server")
    with run_app(folder, HF_HUB_OFFLINE="1", SEGMENTATION_MCP="1") as address:
        yield address


@pytest.fixture(scope="session")
def server_without_s(tmp_path_factory: pytest.TempPathFactory, converted: None) -> Iterator[str]:
    """The address of an app that has nothing bundled for S, and no Hub."""
    folder = tmp_path_factory.mktemp("without-s")
    root = copy_without("s", tmp_path_factory.mktemp("root"))
    with run_app(folder, root, HF_HUB_OFFLINE="1") as address:
        yield address


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
