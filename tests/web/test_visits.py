"""Files of a visit go when its page has been closed for a while."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.web.visits import Visits

AWAY_S = 0.3


@pytest.fixture
def visits() -> Visits:
    return Visits(AWAY_S)


def is_soon(is_so: Callable[[], bool]) -> bool:
    for _ in range(100):
        if is_so():
            return True
        time.sleep(0.05)
    return False


def make(folder: Path, name: str) -> Path:
    file = folder / name
    file.write_bytes(b"x")
    return file


def test_files_and_folders_go_after_the_page_was_closed(visits: Visits, tmp_path: Path) -> None:
    photo = make(tmp_path, "photo.jpg")
    results = tmp_path / "results"
    results.mkdir()
    make(results, "overlay.png")
    with visits.open("one"):
        visits.keep("one", photo)
        visits.keep("one", results)
        time.sleep(2 * AWAY_S)
        assert photo.exists()
    assert photo.exists()
    assert is_soon(lambda: not photo.exists() and not results.exists())


def test_a_page_that_comes_back_keeps_its_files(visits: Visits, tmp_path: Path) -> None:
    photo = make(tmp_path, "photo.jpg")
    with visits.open("one"):
        visits.keep("one", photo)
    with visits.open("one"):
        time.sleep(2 * AWAY_S)
        assert photo.exists()


def test_a_page_that_is_open_twice_keeps_its_files(visits: Visits, tmp_path: Path) -> None:
    photo = make(tmp_path, "photo.jpg")
    with visits.open("one"):
        with visits.open("one"):
            visits.keep("one", photo)
        time.sleep(2 * AWAY_S)
        assert photo.exists()


def test_a_file_that_another_visit_has_too_stays(visits: Visits, tmp_path: Path) -> None:
    """Gradio keeps equal uploads once."""
    both, own = make(tmp_path, "both.jpg"), make(tmp_path, "own.jpg")
    with visits.open("two"):
        visits.keep("two", both)
        with visits.open("one"):
            visits.keep("one", both)
            visits.keep("one", own)
        assert is_soon(lambda: not own.exists())
        assert both.exists()
    assert is_soon(lambda: not both.exists())


def test_what_is_gone_already_does_no_harm(visits: Visits, tmp_path: Path) -> None:
    other = make(tmp_path, "other")
    with visits.open("one"):
        visits.keep("one", tmp_path / "nothing")
        visits.keep("one", other)
        visits.keep(None, tmp_path / "of nobody")
    assert is_soon(lambda: not other.exists())
