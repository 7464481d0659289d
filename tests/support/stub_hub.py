"""A stub of the Hugging Face Hub on loopback that can show the faults of the real one."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class StubHub:
    """Serves folders as repositories.

    Attributes:
        repositories: repository name -> folder with its files.
        fault: "" or one of ``404 401 429 503 silent crawl cut``: a status, no answer, a very slow
            one, or one that breaks off.
        requests: (method, path) of all requests so far.
        bytes_per_s: speed of downloads; 0 is as fast as possible.
        tokens: the tokens that are accepted; any other is refused, for public files, too.
        private: repositories that need a token.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Path] = {}
        self.fault = ""
        self.requests: list[tuple[str, str]] = []
        self.address = ""
        self.bytes_per_s = 0
        self.tokens: set[str] = set()
        self.private: set[str] = set()

    def commit(self, repository: str) -> str:
        """Compute a commit id that depends on the files, as on the Hub."""
        digest = hashlib.sha1(usedforsecurity=False)
        for file in sorted(self.repositories[repository].iterdir()):
            digest.update(file.read_bytes() if file.is_file() else b"")
        return digest.hexdigest()

    def find(self, path: str) -> tuple[bool, Path | None]:
        """Tell whether a path's repository exists, and give the file or None."""
        folder = self.repositories.get(_repository(path))
        if folder is None:
            return False, None
        file = folder / path.rpartition("/")[2]
        return True, file if file.is_file() else None


def _repository(path: str) -> str:
    if path.startswith("http://"):  # asked as a proxy
        path = path.removeprefix("http://").partition("/")[2]
    return path.lstrip("/").partition("/resolve/")[0]


@contextmanager
def serve() -> Iterator[StubHub]:
    """Run a stub Hub until the end of the block."""
    hub = StubHub()

    class Handler(_Handler):
        stub = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        hub.fault = ""
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    stub: StubHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        self.stub.requests.append((self.command, self.path))
        if self.stub.fault == "silent":
            time.sleep(3)
            self.close_connection = True
            return
        if self.stub.fault.isdigit():
            code = "RepoNotFound" if self.stub.fault in ("404", "401") else ""
            self._refuse(int(self.stub.fault), code)
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in self.stub.tokens:
            self._refuse(401, "", "Invalid credentials in Authorization header")
            return
        if not token and _repository(self.path) in self.stub.private:
            self._refuse(401, "RepoNotFound")
            return
        known, file = self.stub.find(self.path)
        if file is None:
            self._refuse(404, "EntryNotFound" if known else "RepoNotFound")
            return
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.stub.commit(_repository(self.path)))
        self.end_headers()
        if with_body:
            self._send(content)

    def _refuse(self, status: int, code: str, message: str = "") -> None:
        self.send_response(status)
        if message:
            self.send_header("X-Error-Message", message)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, content: bytes) -> None:
        try:
            if self.stub.fault == "cut" and len(content) > 100_000:
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self.connection.shutdown(2)
            elif self.stub.fault == "crawl" and len(content) > 100_000:
                for start in range(0, len(content), 100):
                    self.wfile.write(content[start : start + 100])
                    self.wfile.flush()
                    time.sleep(0.05)
                    if self.stub.fault != "crawl":
                        break
                self.close_connection = True
            else:
                step = self.stub.bytes_per_s // 10 or len(content)
                for start in range(0, len(content), step):
                    self.wfile.write(content[start : start + step])
                    if self.stub.bytes_per_s:
                        time.sleep(0.1)
        except OSError:
            self.close_connection = True
