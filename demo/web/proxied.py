"""Mends what proxies change about a request: its path, and the port of its host."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.web.client import is_own_page


class Proxied:
    """ASGI middleware that gives each request the form which the app expects.

    Behind it, all paths begin at the app's own root: the sub-path of GRADIO_ROOT_PATH is removed
    where the proxy has left it. FastAPI writes that setting into ``root_path``: a path such as
    /seg, or a full URL. Where a proxy drops the port of the host, the port comes from the page's
    own origin, so that Gradio makes addresses which the browser can reach.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request or a socket on in that form."""
        if scope["type"] in ("http", "websocket"):
            prefix = urlsplit(str(scope.get("root_path", ""))).path.rstrip("/")
            scope = {**scope, "root_path": "", "path": _below(prefix, scope["path"])}
            scope["headers"] = list(scope["headers"])
            _restore_port(MutableHeaders(scope=scope))
            if "raw_path" in scope:
                raw = _below(prefix, scope["raw_path"].decode("latin-1"))
                scope["raw_path"] = raw.encode("latin-1")
        await self._app(scope, receive, send)


def _below(prefix: str, path: str) -> str:
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        return path[len(prefix) :] or "/"
    return path


def _restore_port(headers: MutableHeaders) -> None:
    """Write the port of the page's origin into hosts without one; other pages change nothing."""
    origin = headers.get("origin")
    if origin is None or not is_own_page(Headers(raw=headers.raw)):
        return
    page = urlsplit(origin)
    if page.port is None:
        return
    for name in ("host", "x-forwarded-host"):
        if headers.get(name, "").split(",")[0].strip().lower() == page.netloc.rpartition(":")[0]:
            headers[name] = page.netloc
