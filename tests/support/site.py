"""Serve the page without a server: with its own headers, and as any plain server does."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo.site import serve_site


class _Plain(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def served(folder: Path, *, is_isolated: bool) -> Iterator[str]:
    """Serve a built site; give its address.

    Args:
        folder: the built site.
        is_isolated: whether to send the headers with which a page may use several threads.
    """
    plain = functools.partial(_Plain, directory=str(folder))
    server = (
        serve_site(folder, 0)
        if is_isolated
        else http.server.ThreadingHTTPServer(("127.0.0.1", 0), plain)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
