"""The page behind a real nginx under a sub-path, and with proxies in the environment."""

import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    ASTRONAUT,
    click_example,
    open_page,
    table_rows,
    wait_for_result,
)
from tests.support.nginx import readme_server, run_nginx
from tests.support.server import free_port, run_app

KEEPS_PREFIX = ("proxy_pass http://127.0.0.1:{app}/;", "proxy_pass http://127.0.0.1:{app};")
DROPS_PORT = ("proxy_set_header Host $http_host", "proxy_set_header Host $host")
NAMES_A_LIST = (
    "proxy_set_header Host $http_host",
    'proxy_set_header X-Forwarded-Host "$http_host, inner:80"',
)
FORMS = {
    "stripped": (),
    "not stripped": (KEEPS_PREFIX,),
    "without the port": (DROPS_PORT,),
    "a list of hosts": (NAMES_A_LIST,),
}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Form of the proxy -> address of the page behind it."""
    folder = tmp_path_factory.mktemp("proxy")
    with run_app(folder, HF_HUB_OFFLINE="1", GRADIO_ROOT_PATH="/seg") as app:
        app_port = int(app.rpartition(":")[2])
        servers = {}
        for form, changes in FORMS.items():
            ported = [tuple(each.replace("{app}", str(app_port)) for each in c) for c in changes]
            servers[form] = readme_server(app_port, *((old, new) for old, new in ported))
        with run_nginx(folder / "nginx", list(servers.values())):
            yield {form: f"http://127.0.0.1:{port}/seg" for form, (port, _) in servers.items()}


def segment_an_example(page: Page) -> None:
    """Wait for the pictures of the examples, and segment one."""
    page.wait_for_function(
        """() => [...document.querySelectorAll("#picker .examples img")]
            .every((image) => image.naturalWidth)"""
    )
    click_example(page)
    wait_for_result(page)
    assert {"background", "person"} <= set(table_rows(page))


def use_everything(page: Page) -> None:
    """Segment an example, take a file away and start the live view."""
    segment_an_example(page)
    page.get_by_text("Download", exact=True).click()
    with page.expect_download(timeout=30_000) as download:
        page.get_by_role("button", name="Download ZIP").click()
    assert download.value.path().stat().st_size > 10_000
    with page.expect_download() as download:
        page.locator("#files a[download='classes.png']").click()
    assert download.value.path().stat().st_size > 1_000
    page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator(".live .stats")).to_contain_text("frames/s", timeout=30_000)


@pytest.mark.parametrize("form", FORMS)
def test_everything_works_under_a_sub_path(
    chromium: Browser, addresses: dict[str, str], form: str
) -> None:
    # Without the port, Gradio's first addresses of the examples are wrong, and mended then.
    also = ("http://127.0.0.1/seg/gradio_api/file=",) if form == "without the port" else ()
    with open_page(chromium, addresses[form], also=also) as page:
        if form in ("stripped", "not stripped"):
            use_everything(page)
        else:  # what differs is the page's own addresses
            segment_an_example(page)


@pytest.mark.parametrize("form", ["stripped", "not stripped"])
def test_the_api_answers_under_a_sub_path(
    addresses: dict[str, str], form: str, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = Client(f"{addresses[form]}/", download_files=tmp_path, verbose=False)
    *_, areas = client.predict(handle_file(str(ASTRONAUT)), "xxs", "whole", api_name="/segment")
    assert {"background", "person"} <= {area["class_name"] for area in areas["areas"]}


def test_a_full_address_as_root_and_a_page_of_another_host(
    chromium: Browser, tmp_path: Path
) -> None:
    app_port = free_port()
    port, text = readme_server(app_port)
    root = f"http://127.0.0.1:{port}/seg"
    options: dict[str, Any] = {"GRADIO_SERVER_PORT": str(app_port), "GRADIO_ROOT_PATH": root}
    with (
        run_app(tmp_path, HF_HUB_OFFLINE="1", **options),
        run_nginx(tmp_path / "nginx", [(port, text)]),
    ):
        with open_page(chromium, root) as page:
            use_everything(page)
        request = urllib.request.Request(f"{root}/config", headers={"Origin": "http://evil.test"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request, timeout=10)


def test_proxies_in_the_environment_do_not_stop_the_app(tmp_path: Path) -> None:
    proxies = {"http": "gopher://x", "https": "socks5://127.0.0.1:9", "all": "socks5://127.0.0.1:9"}
    variables: dict[str, Any] = {"NO_PROXY": "", "no_proxy": ""}
    for scheme, proxy in proxies.items():
        variables |= {f"{scheme}_proxy": proxy, f"{scheme.upper()}_PROXY": proxy}
    with run_app(tmp_path, **variables) as address:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client = Client(address, download_files=tmp_path, verbose=False)
        *_, areas = client.predict(handle_file(str(ASTRONAUT)), "xxs", "whole", api_name="/segment")
    assert areas["weights_source"] == "bundled"
