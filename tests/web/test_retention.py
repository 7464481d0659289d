"""When uploads and results are deleted; the tests set the clock."""

import os
from pathlib import Path

import pytest

from demo.web.retention import (
    AWAY_S,
    MAX_AGE_S,
    SENTENCE,
    YOUNG_S,
    Visits,
    delete,
    list_files,
    tidy,
    trim,
)


class Place:
    """The visits of a server, a folder for their files, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, 0.0
        self.visits = Visits(clock=lambda: self.now)

    def make(self, session: str, name: str) -> Path:
        file = self.folder / name
        file.write_bytes(b"x")
        self.visits.note(session, file)
        return file

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.visits.sweep()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_files_and_folders_are_deleted_after_the_page_was_closed(place: Place) -> None:
    results = place.folder / "results"
    results.mkdir()
    (results / "overlay.png").write_bytes(b"x")
    with place.visits.open("one"):
        photo = place.make("one", "photo.jpg")
        place.visits.note("one", results)
        place.wait(2 * AWAY_S)
        assert photo.exists()
    place.wait(AWAY_S - 1)
    assert photo.exists() and results.exists()
    place.wait(1)
    assert not photo.exists() and not results.exists()


def test_files_of_a_page_that_comes_back_stay(place: Place) -> None:
    with place.visits.open("one"):
        photo = place.make("one", "photo.jpg")
    place.wait(AWAY_S - 1)
    with place.visits.open("one"):
        place.wait(AWAY_S)
        assert photo.exists()
    place.wait(AWAY_S - 1)
    assert photo.exists()


def test_files_of_a_page_that_is_open_twice_stay(place: Place) -> None:
    with place.visits.open("one"):
        with place.visits.open("one"):
            photo = place.make("one", "photo.jpg")
        place.wait(2 * AWAY_S)
        assert photo.exists()


def test_a_file_that_two_visits_share_stays_until_both_end(place: Place) -> None:
    """Gradio stores equal uploads once, so two visits can share a file."""
    with place.visits.open("two"):
        both = place.make("two", "both.jpg")
        with place.visits.open("one"):
            place.visits.note("one", both)
            own = place.make("one", "own.jpg")
        place.wait(AWAY_S)
        assert both.exists() and not own.exists()
    place.wait(AWAY_S)
    assert not both.exists()


def test_files_of_a_visit_that_opened_no_page_are_deleted(place: Place) -> None:
    photo = place.make("a program", "photo.jpg")
    place.wait(AWAY_S)
    assert not photo.exists() and not place.visits._visits


def test_a_missing_file_of_a_visit_does_no_harm(place: Place) -> None:
    photo = place.make("one", "photo.jpg")
    place.visits.note("one", place.folder / "nothing")
    place.wait(AWAY_S)
    assert not photo.exists()


def make(folder: Path, age_s: float, size: int = 100) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{age_s:g}"
    file.write_bytes(bytes(size))
    os.utime(file, (1e9 - age_s, 1e9 - age_s))
    return file


@pytest.mark.parametrize(
    ("max_bytes", "left"),
    [(500, 5), (499, 4), (201, 2), (0, 1)],
    ids=["all fit", "one too many", "three too many", "no room"],
)
def test_the_oldest_files_are_deleted_until_the_rest_fits(
    tmp_path: Path, max_bytes: int, left: int
) -> None:
    for age_s in (0, 100, 200, 300, 400):
        make(tmp_path / f"folder {age_s}", age_s)
    assert trim(tmp_path, max_bytes) == (5 - left) * 100
    assert [100 * n for n in range(left)] == [
        int(path.name) for _, _, path in reversed(list_files(tmp_path))
    ]
    assert len(list(tmp_path.iterdir())) == left


def test_young_files_stay(tmp_path: Path) -> None:
    young = make(tmp_path, YOUNG_S - 1)
    make(tmp_path, 800)
    make(tmp_path, 0)
    trim(tmp_path, 0)
    assert {path for _, _, path in list_files(tmp_path)} == {young, tmp_path / "0"}


def test_all_rules_apply_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.web.retention.time.time", lambda: 1e9)
    old = make(tmp_path / "b", MAX_AGE_S + 2)
    excess = make(tmp_path / "c", 900)
    left = make(tmp_path / "d", 20)
    young = make(tmp_path / "e", 10)
    visits = Visits(away_s=0)
    visits.note("gone", left)
    tidy(tmp_path, 100, visits)
    assert not old.exists() and not excess.exists() and not left.exists()
    assert {path for _, _, path in list_files(tmp_path)} == {young}


def test_a_file_that_is_already_deleted_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    file, other = make(folder, 1), make(folder, 2)
    delete(file, tmp_path)
    assert other.exists()
    delete(file, tmp_path)
    delete(other, tmp_path)
    assert not folder.exists()
    delete(other, tmp_path)


def test_a_missing_folder_counts_as_empty(tmp_path: Path) -> None:
    assert trim(tmp_path / "none", 0) == 0


def test_the_page_s_sentence_states_how_long_files_stay() -> None:
    assert SENTENCE == (
        "They are deleted from it 10 minutes after you leave, and within 75 minutes in any case."
    )
