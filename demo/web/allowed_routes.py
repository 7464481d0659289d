"""Which requests the page and its API make, and how large each may be."""

import re
from dataclasses import dataclass

from starlette.types import Scope

from demo.web import built_site

MAX_JSON_BYTES = 40_000_000
"""Size of a request that holds an image as a data: URL."""

MAX_UPLOAD_BYTES = 201_000_000
"""Size of a whole upload: the largest video (`demo.video.MAX_BYTES`) and what a form adds."""

MAX_STEP_BYTES = 100_000
"""Size of an event of the page that runs no network, and so needs no place in the queue."""

MAX_SMALL_BYTES = 10_000
"""Size of a request that only names something, such as what to cancel."""


@dataclass(frozen=True)
class AllowedRoute:
    """A kind of request that is answered.

    Attributes:
        name: the name under which such requests are counted.
        method: GET, which includes HEAD, or POST.
        path: pattern of the whole path.
        max_bytes: largest size of the body.
        is_work: whether it asks for an image to be segmented.
    """

    name: str
    method: str
    path: re.Pattern[str]
    max_bytes: int = 0
    is_work: bool = False


def _route(
    name: str, method: str, path: str, max_bytes: int = 0, is_work: bool = False
) -> AllowedRoute:
    return AllowedRoute(name, method, re.compile(path), max_bytes, is_work)


_API = "/gradio_api"
_ENDPOINTS = "(segment|background|segment_many)"
"""What the API offers, see demo/ui/api.py."""

ALLOWED_ROUTES = (
    _route("page", "GET", r"/(config/?)?"),
    _route("page parts", "GET", r"/(assets|static|svelte)/.+|/theme\.css|/favicon\.ico"),
    _route("page parts", "GET", r"/viewer/\w+\.js|/examples/\w+\.jpg"),
    _route("page without a server", "GET", rf"/{built_site.ADDRESS}/[\w./-]*"),
    _route("page parts", "GET", r"/manifest\.json|/robots\.txt"),
    _route("health", "GET", r"/healthz"),
    _route("metrics", "GET", r"/metrics"),
    _route("info", "GET", rf"{_API}/(info/?|openapi\.json|startup-events|app_id/?)"),
    _route("info", "GET", rf"{_API}/(login_check/?|user/?|queue/status|theme\.css)"),
    _route("heartbeat", "GET", rf"{_API}/heartbeat/[\w-]+"),
    _route("result", "GET", rf"{_API}/(queue/data|call/(v2/)?{_ENDPOINTS}/\w+)"),
    _route("upload progress", "GET", rf"{_API}/upload_progress"),
    _route("file", "GET", rf"{_API}/file=(?!\w+:/).+"),
    _route(
        "segment", "POST", rf"{_API}/(queue/join|call/(v2/)?{_ENDPOINTS})/?", MAX_JSON_BYTES, True
    ),
    _route("mcp", "POST", rf"{_API}/mcp/?", MAX_JSON_BYTES, True),
    _route("small step", "POST", rf"{_API}/run/predict/?", MAX_STEP_BYTES),
    _route("upload", "POST", rf"{_API}/upload", MAX_UPLOAD_BYTES),
    _route("cancel", "POST", rf"{_API}/(cancel|reset)/?", MAX_SMALL_BYTES),
)


def find_route(scope: Scope) -> AllowedRoute | None:
    """Find the route of a request, or None if there is none."""
    path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
    method = {"HEAD": "GET"}.get(scope["method"], scope["method"])
    for route in ALLOWED_ROUTES:
        if route.method == method and route.path.fullmatch(path):
            return route
    return None
