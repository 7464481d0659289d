"""The doors: which requests the page and its API make, and how large they may be."""

import re
from dataclasses import dataclass

from starlette.types import Scope

from demo.video import MAX_BYTES as MAX_FILM_BYTES

MAX_JSON_BYTES = 40_000_000
"""Of a request with an image as a data: URL in it."""

MAX_UPLOAD_BYTES = MAX_FILM_BYTES + 1_000_000
"""Of a whole upload: the largest film, and what a form adds."""

MAX_STEP_BYTES = 100_000
"""Of an event of the page that needs no network, and so no place in the queue."""

MAX_SMALL_BYTES = 10_000


@dataclass(frozen=True)
class Door:
    """A kind of request that is answered.

    Attributes:
        name: what it is called where requests are counted.
        method: GET, which includes HEAD, or POST.
        path: pattern of the whole path.
        max_bytes: of the body.
        is_work: whether it asks for an image to be segmented.
    """

    name: str
    method: str
    path: re.Pattern[str]
    max_bytes: int = 0
    is_work: bool = False


def _door(name: str, method: str, path: str, max_bytes: int = 0, is_work: bool = False) -> Door:
    return Door(name, method, re.compile(path), max_bytes, is_work)


_API = "/gradio_api"
DOORS = (
    _door("page", "GET", r"/(config/?)?"),
    _door("page parts", "GET", r"/(assets|static|svelte)/.+|/theme\.css|/favicon\.ico"),
    _door("page parts", "GET", r"/viewer/\w+\.js"),
    _door("page parts", "GET", r"/manifest\.json|/robots\.txt"),
    _door("health", "GET", r"/healthz"),
    _door("metrics", "GET", r"/metrics"),
    _door("info", "GET", rf"{_API}/(info/?|openapi\.json|startup-events|app_id/?)"),
    _door("info", "GET", rf"{_API}/(login_check/?|user/?|queue/status|theme\.css)"),
    _door("heartbeat", "GET", rf"{_API}/heartbeat/[\w-]+"),
    _door("result", "GET", rf"{_API}/(queue/data|call/(v2/)?segment/\w+)"),
    _door("upload progress", "GET", rf"{_API}/upload_progress"),
    _door("file", "GET", rf"{_API}/file=(?!\w+:/).+"),
    _door("segment", "POST", rf"{_API}/(queue/join|call/(v2/)?segment)/?", MAX_JSON_BYTES, True),
    _door("small step", "POST", rf"{_API}/run/predict/?", MAX_STEP_BYTES),
    _door("upload", "POST", rf"{_API}/upload", MAX_UPLOAD_BYTES),
    _door("cancel", "POST", rf"{_API}/(cancel|reset)/?", MAX_SMALL_BYTES),
)


def find_door(scope: Scope) -> Door | None:
    """The door for a request, or None if there is none."""
    path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
    method = {"HEAD": "GET"}.get(scope["method"], scope["method"])
    for door in DOORS:
        if door.method == method and door.path.fullmatch(path):
            return door
    return None
