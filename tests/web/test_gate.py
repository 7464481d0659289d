"""The gate in front of a small app that answers with the size of the body it received."""

import asyncio
import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from demo.web import allowed_routes, body_limits
from demo.web.allowed_routes import find_route
from demo.web.client import client_address
from demo.web.gate import HEADERS, Gate, GateState
from demo.web.places import QUEUE_SIZE, Limits, Waiting
from demo.web.retention import Visits

JOIN, UPLOAD, CANCEL = (f"/gradio_api/{name}" for name in ("queue/join", "upload", "cancel"))


class Server:
    """The state of the server that the gate sees."""

    def __init__(self) -> None:
        self.waiting = 0
        self.state = GateState()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[TestClient]:
    async def echo(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    limits = Limits(lambda: Waiting(server.waiting), lambda: 0.1)
    middleware = Middleware(Gate, limits=limits, visits=Visits(), state=server.state)
    routes = [Route("/{path:path}", echo, methods=["GET", "POST", "PUT"])]
    with TestClient(Starlette(routes=routes, middleware=[middleware])) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config",
        "/assets/index.js",
        "/healthz",
        "/gradio_api/info",
        "/gradio_api/file=/tmp/gradio/abc/photo.jpg",
        "/gradio_api/queue/data",
        "/gradio_api/call/segment/0123abcd",
    ],
)
def test_routes_that_the_page_needs_are_open(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert HEADERS.items() <= {name.title(): v for name, v in answer.headers.items()}.items()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/proxy=http://127.0.0.1/"),
        ("GET", "/gradio_api/file=http://127.0.0.1/"),
        ("GET", "/gradio_api/file=file:/etc/passwd"),
        ("GET", "/gradio_api/run-history/records"),
        ("GET", "/gradio_api/dev/reload"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("GET", "/docs"),
        ("GET", "/.git/config"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/vibe-code"),
        ("POST", "/gradio_api/run/segment"),
        ("POST", "/gradio_api/api/predict"),
        ("POST", "/gradio_api/stream/1"),
        ("POST", "/"),
        ("PUT", "/gradio_api/upload"),
    ],
)
def test_all_other_routes_are_closed(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is nothing at this address."}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the body of every route to a kilobyte."""
    small = [dataclasses.replace(route, max_bytes=1000) for route in allowed_routes.ALLOWED_ROUTES]
    monkeypatch.setattr(allowed_routes, "ALLOWED_ROUTES", small)


def pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * 100


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("path", [JOIN, UPLOAD, CANCEL])
@pytest.mark.parametrize("is_announced", [True, False], ids=["announced", "in pieces"])
def test_the_body_is_limited_on_every_route(
    client: TestClient, path: str, is_announced: bool
) -> None:
    def send(count: int) -> Any:
        return client.post(path, content=b"x" * 100 * count if is_announced else pieces(count))

    assert send(10).text == "1000"
    answer = send(11)
    assert answer.status_code == 413
    assert "larger than 0.001 MB. Send a smaller file." in answer.text


@pytest.mark.parametrize("path", ["/", "/healthz", "/gradio_api/queue/data"])
def test_a_get_request_with_a_body_is_refused(client: TestClient, path: str) -> None:
    assert client.request("GET", path, content=b"x").status_code == 413


def test_a_full_queue_gives_a_sentence_with_the_time_to_wait(
    client: TestClient, server: Server
) -> None:
    server.waiting = QUEUE_SIZE
    answer = client.post(JOIN, content=b"{}")
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "7"
    assert answer.json() == {"detail": "The server is busy. Try again in 7 s."}
    assert client.get("/").status_code == 200
    server.waiting = 0
    assert client.post(JOIN, content=b"{}").status_code == 200


def test_a_closing_server_refuses_new_work(client: TestClient, server: Server) -> None:
    server.state.is_closing = True
    answer = client.post(JOIN, content=b"{}")
    assert answer.status_code == 503 and "about to restart" in answer.json()["detail"]
    assert client.get("/gradio_api/queue/data").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "https://demo.hf.space", "X-Forwarded-Host": "demo.hf.space"}, 200),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "https://demo.example", "X-Forwarded-Host": "demo.example:443"}, 200),
        ({"Origin": "https://Demo.Example", "X-Forwarded-Host": "demo.EXAMPLE, inner:80"}, 200),
        ({"Origin": "https://demo.example:8443", "X-Forwarded-Host": "demo.example"}, 200),
        ({"Origin": "https://demo.example:8443", "X-Forwarded-Host": "demo.example:443"}, 403),
        ({"Origin": "http://[::1]:8000", "X-Forwarded-Host": "[::1]:8000"}, 200),
        ({"Origin": "http://[::1]:8000", "X-Forwarded-Host": "[::2]:8000"}, 403),
        ({"Origin": "https://evil.test", "X-Forwarded-Host": "demo.example, inner:80"}, 403),
        ({"Origin": "file://", "X-Forwarded-Host": "demo.example"}, 403),
    ],
    ids=[
        "a program",
        "its own page",
        "behind a proxy",
        "another page",
        "a file",
        "no address",
        "the default port",
        "a list, in other case",
        "a proxy that drops the port",
        "another port",
        "IPv6",
        "another IPv6 address",
        "another page behind two proxies",
        "no host",
    ],
)
@pytest.mark.parametrize("host", ["testserver", "localhost:7860"])
def test_requests_of_other_pages_are_refused(
    client: TestClient, headers: dict[str, str], status: int, host: str
) -> None:
    origin = headers.get("Origin", "").replace("testserver", host)
    sent = {**headers, "Host": host, **({"Origin": origin} if origin else {})}
    assert client.post(JOIN, content=b"{}", headers=sent).status_code == status
    assert client.get("/config", headers=sent).status_code == status


def test_json_of_very_many_parts_is_refused_before_it_is_read(client: TestClient) -> None:
    many = b"[" + b"[]," * body_limits.MAX_PARTS + b"[]]"
    answer = client.post(JOIN, content=many)
    assert answer.status_code == 413 and "too many parts" in answer.json()["detail"]
    image = b'{"url": "data:image/png;base64,' + b"A" * 1_000_000 + b'"}'
    assert client.post(JOIN, content=image).status_code == 200


def test_all_bodies_together_are_limited(
    client: TestClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limits, "MAX_HELD_BYTES", 1000)
    assert client.post(JOIN, content=b"x" * 1000).status_code == 200
    assert server.state.held_bytes == 0
    server.state.held_bytes = 1
    answer = client.post(JOIN, content=b"x" * 1000)
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "5"
    assert server.state.held_bytes == 1


def run_gate(receive: Any, state: GateState) -> list[Any]:
    """Send a request straight to the gate; give the messages that it answers within 3 s.

    The request runs in a thread because the browser tests leave an event loop in this one.
    """
    with ThreadPoolExecutor(1) as pool:
        run = asyncio.wait_for(_run_gate(receive, state), 3)
        return pool.submit(asyncio.run, run).result()


async def _run_gate(receive: Any, state: GateState) -> list[Any]:
    sent: list[Any] = []

    async def read_all(scope: Any, receive: Any, send: Any) -> None:
        response = PlainTextResponse(str(len(await Request(scope, receive).body())))
        await response(scope, receive, send)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": UPLOAD, "headers": [], "client": ["a", 1]}
    limits = Limits(lambda: Waiting(0), lambda: 0.1)
    await Gate(read_all, limits, Visits(), state)(scope, receive, send)
    return sent


@pytest.mark.parametrize("pause_s", [5.0, 0.05], ids=["silent", "a byte now and then"])
def test_a_client_that_sends_too_slowly_is_refused(
    monkeypatch: pytest.MonkeyPatch, pause_s: float
) -> None:
    monkeypatch.setattr(body_limits, "SILENCE_S", 0.5)
    monkeypatch.setattr(body_limits, "BASE_S", 0.5)

    async def dawdle() -> Any:
        await asyncio.sleep(pause_s)
        return {"type": "http.request", "body": b"x", "more_body": True}

    state = GateState()
    sent = run_gate(dawdle, state)
    assert sent[0]["status"] == 408 and b"too slowly" in sent[1]["body"]
    assert state.under_way == 0


def test_a_client_that_disconnects_leaves_no_request_under_way() -> None:
    messages = iter([{"type": "http.request", "body": b"x", "more_body": True}])

    async def vanish() -> Any:
        return next(messages, {"type": "http.disconnect"})

    state = GateState()
    assert run_gate(vanish, state) == []
    assert state.under_way == 0


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ("", "9.9.9.9", "1.2.3.4"),
        ("1", "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        ("2", "6.6.6.6, 9.9.9.9, 10.0.0.1", "9.9.9.9"),
        ("2", "9.9.9.9", "1.2.3.4"),
        ("1", "", "1.2.3.4"),
    ],
    ids=["no proxy", "one", "two", "fewer than configured", "none"],
)
def test_only_a_trusted_proxy_names_the_client_s_address(
    monkeypatch: pytest.MonkeyPatch, proxies: str, forwarded: str, address: str
) -> None:
    monkeypatch.setenv("SEGMENTATION_PROXIES", proxies)
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope = {"type": "http", "headers": headers, "client": ("1.2.3.4", 5)}
    assert client_address(scope) == address


def test_the_app_s_root_path_is_not_part_of_a_route() -> None:
    scope = {"method": "HEAD", "path": "/demo/config", "root_path": "/demo"}
    route = find_route(scope)
    assert route is not None and route.name == "page"
