"""The app starts in an environment where little is as usual."""

import os
import pwd
import tempfile
import warnings
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

from demo.environment import mend_environment
from demo.settings import cache_folder
from tests.support.browser import ASTRONAUT
from tests.support.server import copy_without, run_app


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy"):
        os.environ.pop(name, None)


def test_loopback_is_never_proxied() -> None:
    os.environ["NO_PROXY"] = "intranet.example"
    mend_environment()
    for name in ("NO_PROXY", "no_proxy"):
        assert {"localhost", "127.0.0.1", "::1"} <= set(os.environ[name].split(","))
    assert os.environ["NO_PROXY"].startswith("intranet.example,")


@pytest.mark.parametrize(
    ("proxy", "stays"),
    [
        ("http://proxy.example:3128", True),
        ("socks5://proxy.example", True),
        ("proxy.example:3128", True),
        ("", True),
        ("gopher://proxy.example", False),
        ("http://", False),
        ("http://proxy.example:port", False),
    ],
)
def test_a_proxy_that_no_client_can_use_is_ignored_and_told(
    caplog: pytest.LogCaptureFixture, proxy: str, stays: bool
) -> None:
    os.environ["HTTPS_PROXY"] = proxy
    mend_environment()
    assert ("HTTPS_PROXY" in os.environ) == stays
    assert ("HTTPS_PROXY is ignored" in caplog.text) == (not stays)


def test_an_unknown_user_without_a_home_gets_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", fail)
    os.environ.pop("HOME", None)
    os.environ.pop("SEGMENTATION_CACHE", None)
    mend_environment()
    assert caplog.text.count("no home folder") == 1
    assert cache_folder().parts[:2] == ("/", "nonexistent")


def test_temporary_folders_that_cannot_be_written_are_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    os.environ.update(GRADIO_TEMP_DIR="/dev/null/gradio", TMPDIR="/dev/null/tmp")
    mend_environment()
    assert "GRADIO_TEMP_DIR" not in os.environ and "TMPDIR" not in os.environ
    assert caplog.text.count("cannot be written and is ignored") == 2


def test_without_any_temporary_folder_memory_serves(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "gettempdir", fail)
    mend_environment()
    assert os.environ["TMPDIR"] == "/dev/shm"
    assert "uploads are stored in memory" in caplog.text


def test_a_folder_of_uploads_that_another_user_owns_is_left_to_them(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    os.environ.pop("GRADIO_TEMP_DIR", None)
    os.environ["TMPDIR"] = str(tmp_path)
    (tmp_path / "gradio").write_bytes(b"")  # even root cannot write into it
    mend_environment()
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    assert caplog.text.count("Another user owns") == 1


def test_with_nothing_to_write_to_the_app_segments(tmp_path: Path) -> None:
    root = copy_without("s", tmp_path / "root")
    variables = {
        "HOME": "/dev/null",
        "HF_HOME": "/dev/null/hub",
        "SEGMENTATION_CACHE": "/dev/null/cache",
        "GRADIO_TEMP_DIR": "/dev/null/gradio",
        "TMPDIR": "/dev/null/tmp",
        "XDG_CACHE_HOME": "",
    }
    with run_app(tmp_path, root, **variables) as address:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client = Client(address, download_files=tmp_path, verbose=False)
        *_, areas = client.predict(handle_file(str(ASTRONAUT)), "xxs", "whole", api_name="/segment")
    assert areas["weights_source"] == "bundled"
    log = (tmp_path / "log.txt").read_text()
    assert log.count("cannot be saved") == 1 and log.count("is ignored") == 2
