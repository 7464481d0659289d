"""A real nginx on loopback, with the file that the README shows."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.server import free_port, wait_for_port

SUB_PATH, COPIES = re.findall(
    r"```nginx\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)
"""The README's configurations: one app under a sub-path, and several copies of it."""

_USER = "user root;" if os.getuid() == 0 else ""
"""As root, nginx gives its workers to another user, who cannot write into the tests' folder."""

MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


def readme_server(app_port: int, *changes: tuple[str, str]) -> tuple[int, str]:
    """Give a free port, and the README's server on it, with some strings replaced."""
    port, text = free_port(), SUB_PATH
    own = [("listen 8080", f"listen 127.0.0.1:{port}"), ("127.0.0.1:7860", f"127.0.0.1:{app_port}")]
    for old, new in [*own, *changes]:
        assert old in text
        text = text.replace(old, new)
    return port, text


def copies_server(*app_ports: int) -> tuple[int, str]:
    """Give a free port, and the README's server for two copies on it."""
    port = free_port()
    text = COPIES.replace("listen 8080", f"listen 127.0.0.1:{port}")
    for written, app_port in zip(("7860", "7861"), app_ports, strict=True):
        text = text.replace(f"127.0.0.1:{written}", f"127.0.0.1:{app_port}")
    return port, text


@contextmanager
def run_nginx(folder: Path, servers: list[tuple[int, str]]) -> Iterator[None]:
    """Run nginx with servers, each given with its port, until the block ends."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.fail("The tests of the proxy need nginx. Run scripts/test, which installs it.")
    folder.mkdir(parents=True, exist_ok=True)
    once, *others = [text for _, text in servers]
    texts = [once, *(text[text.index("server {") :] for text in others)]  # one map serves all
    config = folder / "nginx.conf"
    config.write_text(MAIN.format(folder=folder, servers="\n".join(texts), user=_USER))
    process = subprocess.Popen([program, "-c", str(config), "-e", str(folder / "start.log")])
    try:
        for port, _ in servers:
            wait_for_port(port)
        yield
    finally:
        process.terminate()
        process.wait(10)
