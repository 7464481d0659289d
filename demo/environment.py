"""Mends the environment of a process before libraries read it: proxies, home and temporary folder.

Gradio asks its own server whether it is up, with a client that follows the proxy variables, and
stops where that fails. It also needs a folder that it can write to.
"""

import contextlib
import logging
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_PROXY_SCHEMES = ("", "http", "https", "socks5", "socks5h")
_LAST_RESORTS = (Path("/dev/shm"), Path("/run/shm"))


def mend_environment() -> None:
    """Make the environment one in which the app can start; one line of log for each change."""
    _never_proxy_loopback()
    _ignore_unknown_proxies()
    _find_home()
    _find_temporary_folder()


def _never_proxy_loopback() -> None:
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host.strip()]
        if hosts != ["*"]:
            os.environ[name] = ",".join(dict.fromkeys([*hosts, *_LOOPBACK]))


def _ignore_unknown_proxies() -> None:
    """Remove proxies that the HTTP client cannot use: it would refuse to work at all."""
    for name in (each for upper in _PROXY_VARIABLES for each in (upper, upper.lower())):
        value = os.environ.get(name, "").strip()
        scheme = value.partition("://")[0].lower() if "://" in value else ""
        if scheme not in _PROXY_SCHEMES or not _has_host(value):
            del os.environ[name]
            logger.warning("%s is ignored: it names no http, https, socks5 or socks5h proxy.", name)


def _has_host(value: str) -> bool:
    """Whether a proxy's address is usable; an empty one means no proxy."""
    try:
        parts = urlsplit(value if "://" in value else f"//{value}")
        return not value or (bool(parts.hostname) and parts.port != 0)
    except ValueError:
        return False


def _find_home() -> None:
    """Give a process of an unknown user, or without HOME, a home that exists nowhere."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = "/nonexistent"
        logger.warning("There is no home folder: nothing is stored for the next start.")


def _find_temporary_folder() -> None:
    """Choose a folder for uploads and results that can be written."""
    for name in ("GRADIO_TEMP_DIR", "TMPDIR"):
        value = os.environ.get(name)
        if value and not _can_write(Path(value)):
            del os.environ[name]
            logger.warning("%s cannot be written and is ignored.", name)
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        folder = next((each for each in _LAST_RESORTS if _can_write(each)), None)
        if folder is not None:
            tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
            logger.warning("No temporary folder can be written; uploads are stored in memory.")
    _avoid_another_users_folder()


def _avoid_another_users_folder() -> None:
    """Leave Gradio's usual folder for uploads to the user who has made it first."""
    with contextlib.suppress(FileNotFoundError):
        if "GRADIO_TEMP_DIR" not in os.environ and not _can_write(_usual_upload_folder()):
            os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="gradio-")
            logger.warning("Another user owns the usual folder of uploads; a new one is used.")


def _usual_upload_folder() -> Path:
    return Path(tempfile.gettempdir()) / "gradio"


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
