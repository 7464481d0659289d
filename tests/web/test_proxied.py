"""The app sees paths below its own root, whatever the proxy does with the sub-path."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from demo.ui.components import VIEWER
from demo.web.proxied import Proxied


def client(root_path: str) -> TestClient:
    async def home(request: Request) -> PlainTextResponse:
        return PlainTextResponse("home")

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("live")

    inner = Starlette(
        routes=[
            Route("/", home),
            WebSocketRoute("/live", live),
            Mount("/viewer", StaticFiles(directory=VIEWER)),
        ],
        middleware=[Middleware(Proxied)],
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "root_path": root_path}, receive, send)  # as FastAPI does

    return TestClient(app)


@pytest.mark.parametrize("root_path", ["/seg", "/seg/", "https://demo.example/seg"])
@pytest.mark.parametrize("prefix", ["", "/seg"], ids=["stripped", "not stripped"])
def test_modules_pages_and_sockets_are_found(root_path: str, prefix: str) -> None:
    app = client(root_path)
    assert app.get(f"{prefix}/").text == "home"
    assert app.get(f"{prefix}/viewer/viewer.js").status_code == 200
    with app.websocket_connect(f"{prefix}/live") as socket:
        assert socket.receive_text() == "live"


def test_a_path_that_only_begins_alike_is_left_alone() -> None:
    assert client("/seg").get("/segment/viewer/viewer.js").status_code == 404


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("demo.example", "https://demo.example:8443", "demo.example:8443"),
        ("demo.example", "https://demo.example", "demo.example"),
        ("demo.example:8443", "https://demo.example:8443", "demo.example:8443"),
        ("demo.example", "https://evil.test:8443", "demo.example"),
        ("demo.example", None, "demo.example"),
        ("[::1]", "http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_a_dropped_port_comes_from_the_page_s_origin(
    host: str, origin: str | None, expected: str
) -> None:
    async def tell(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.headers["host"])

    app = Starlette(routes=[Route("/", tell)], middleware=[Middleware(Proxied)])
    headers = {"Host": host} | ({"Origin": origin} if origin else {})
    assert TestClient(app).get("/", headers=headers).text == expected
