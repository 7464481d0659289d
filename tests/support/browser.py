"""Start a real Chromium and do in it what a visitor does."""

import base64
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from playwright.sync_api import Browser, Page, Playwright

from demo.ui.examples import EXAMPLES_FOLDER

ASTRONAUT = EXAMPLES_FOLDER / "astronaut.jpg"
CAT = EXAMPLES_FOLDER / "cat.jpg"

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
    """Find Debian's Chromium, or another one, on PATH."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("The browser tests need Chromium on PATH.")


def launch_chromium(playwright: Playwright, *flags: str) -> Browser:
    """Start Chromium without a window, with these flags added to those of all tests."""
    return playwright.chromium.launch(
        executable_path=find_chromium(), args=[*CHROMIUM_FLAGS, *flags]
    )


@contextmanager
def open_page(
    chromium: Browser,
    address: str,
    script: str = "",
    also: tuple[str, ...] = (),
    noted: str = "",
) -> Iterator[Page]:
    """Open a page of its own; fail if a script fails or a request leaves the app.

    Args:
        chromium: a browser.
        address: the app's address.
        script: JavaScript that runs before the page's own.
        also: beginnings of other addresses that may be requested.
        noted: choices in the part of the address after #.
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
            if request.url.startswith((address, "data:", "blob:", *also))
            else trouble.append(request.url)
        ),
    )
    page.goto(f"{address}/#{noted}" if noted else address)
    page.locator("#status", has_text="Ready").wait_for(timeout=60_000)
    yield page
    context.close()
    assert not trouble


def click_example(page: Page, name: str = "astronaut") -> None:
    page.get_by_role("button", name=f"Example: {name}").click()


def upload(page: Page, file: Path) -> None:
    page.locator("#picker input[type=file]").set_input_files(file)


def wait_for_result(page: Page) -> None:
    page.locator("#status", has_text="took").wait_for(timeout=60_000)
    page.locator("#viewer canvas.paint").wait_for()


def shown_colours(page: Page) -> np.ndarray:
    """Read what is painted over the image: H×W×4 RGBA at the screen's resolution."""
    after_painting(page)
    source = page.locator("#viewer canvas.paint").evaluate("canvas => canvas.toDataURL()")
    content = base64.b64decode(source.partition(",")[2])
    return np.asarray(PIL.Image.open(io.BytesIO(content)).convert("RGBA"))


def after_painting(page: Page) -> None:
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def choose_view(page: Page, name: str) -> None:
    page.locator("#viewer .views label", has_text=name).click()


def choose_variant(page: Page, label: str) -> None:
    page.locator("#variant").get_by_label(label, exact=True).click()


def shown_size(page: Page) -> tuple[int, int]:
    """Read the width and height of the image from the table's caption."""
    caption = page.locator("#viewer table caption").inner_text()
    width, height = re.findall(r"\d+", caption)[:2]
    return int(width), int(height)


def table_rows(page: Page) -> dict[str, int]:
    """Read the table: class name -> pixels."""
    rows = page.locator("#viewer tbody tr")
    return {
        rows.nth(i).locator("th").inner_text().strip(): int(
            rows.nth(i).locator("td").first.inner_text().replace(",", "")
        )
        for i in range(rows.count())
    }
