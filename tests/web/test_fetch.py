"""Fetching images by address, from a server on loopback that counts as public here."""

import contextlib
import io
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import PIL.Image
import pytest

from demo.errors import InvalidImage
from demo.image import read_image
from demo.web import fetch
from demo.web.fetch import fetch_image, is_public


def photograph() -> bytes:
    file = io.BytesIO()
    PIL.Image.new("RGB", (9, 7), "teal").save(file, "PNG")
    return file.getvalue()


class Pages(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['Host']}{self.path}")
        kind, _, target = self.path.strip("/").partition("?")
        if kind == "moved":
            self.send_response(302)
            self.send_header("Location", target)
            self.end_headers()
            return
        if kind == "dripping":
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.0 200 OK\r\n")
                for _ in range(80):
                    self.wfile.write(b"X: y\r\n")
                    time.sleep(0.1)
            return
        self.send_response(404 if kind == "missing" else 200)
        self.end_headers()
        if kind == "slow":
            for _ in range(40):
                self.wfile.write(b"x")
                time.sleep(0.05)
        self.wfile.write(b"x" * 5000 if kind == "large" else photograph())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 127.0.0.1 count as public, so that a test can fetch from its own server."""
    plain = is_public
    monkeypatch.setattr(fetch, "is_public", lambda a: a == "127.0.0.1" or plain(a))


@pytest.fixture
def port(names: None) -> Iterator[int]:
    Pages.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def resolve(host: str, port: int) -> list[str]:
    return {"public.test": ["127.0.0.1"], "private.test": ["127.0.0.1", "10.0.0.1"]}.get(
        host, ["192.168.0.1"]
    )


def fetch_from(port: int, path: str, host: str = "public.test") -> bytes:
    return fetch_image(f"http://{host}:{port}/{path}", resolve=resolve)


def test_an_image_is_fetched_by_its_name_from_the_checked_address(port: int) -> None:
    image = read_image(fetch_from(port, "photo.png"))
    assert image.shape == (7, 9, 3) and (image == np.array([0, 128, 128])).all()
    assert Pages.asked == [f"public.test:{port}/photo.png"]


def test_a_redirect_is_followed(port: int) -> None:
    assert fetch_from(port, f"moved?http://public.test:{port}/photo.png") == photograph()
    assert fetch_from(port, "moved?/photo.png") == photograph()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("moved?http://hidden.test/", "private network"),
        ("moved?file:///etc/passwd", "begins with http"),
        ("moved?/moved?/moved?/moved?/moved?/photo.png", "redirects more than 3 times"),
        ("missing", "status 404"),
        ("large", "larger than"),
        ("slow", "takes longer than"),
    ],
)
def test_an_address_that_misbehaves_is_refused(
    port: int, monkeypatch: pytest.MonkeyPatch, path: str, sentence: str
) -> None:
    monkeypatch.setattr(fetch, "MAX_BYTES", 4000)
    monkeypatch.setattr(fetch, "MAX_SECONDS", 1.0)
    with pytest.raises(InvalidImage, match=sentence):
        fetch_from(port, path)


def test_slow_headers_end_at_the_time_limit(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MAX_SECONDS", 1.0)
    start = time.monotonic()
    with pytest.raises(InvalidImage, match="takes longer than"):
        fetch_from(port, "dripping")
    assert time.monotonic() - start < 4  # the server sends headers for 8 s


def test_a_path_may_hold_any_letters(port: int) -> None:
    assert fetch_from(port, "Köln 1.png?größe=%20") == photograph()
    assert Pages.asked == [f"public.test:{port}/K%C3%B6ln%201.png?gr%C3%B6%C3%9Fe=%20"]


@pytest.mark.parametrize("host", ["private.test", "unknown.test"])
def test_a_name_with_a_private_address_is_refused_before_any_request(port: int, host: str) -> None:
    with pytest.raises(InvalidImage, match="private network"):
        fetch_from(port, "photo.png", host)
    assert not Pages.asked


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://public.test/", "http://", "http:///x", "gopher://a", "x"]
)
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(InvalidImage, match="begins with http"):
        fetch_image(url, resolve=resolve)


@pytest.mark.usefixtures("names")
def test_an_unreachable_server_gives_a_sentence() -> None:
    with pytest.raises(InvalidImage, match="could not be reached"):
        fetch_image("http://public.test:1/", resolve=resolve)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_a_private_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111"])
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)
