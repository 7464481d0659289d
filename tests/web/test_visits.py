"""Files of a visit go when its page has been closed for a while, by a clock that the test turns."""

from pathlib import Path

import pytest

from demo.web.visits import AWAY_S, Visits


class Place:
    """Visits, and files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, 0.0
        self.visits = Visits(clock=lambda: self.now)

    def make(self, session: str, name: str) -> Path:
        file = self.folder / name
        file.write_bytes(b"x")
        self.visits.keep(session, file)
        return file

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.visits.sweep()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_files_and_folders_go_after_the_page_was_closed(place: Place) -> None:
    results = place.folder / "results"
    results.mkdir()
    (results / "overlay.png").write_bytes(b"x")
    with place.visits.open("one"):
        photo = place.make("one", "photo.jpg")
        place.visits.keep("one", results)
        place.wait(2 * AWAY_S)
        assert photo.exists()
    place.wait(AWAY_S - 1)
    assert photo.exists() and results.exists()
    place.wait(1)
    assert not photo.exists() and not results.exists()


def test_a_page_that_comes_back_keeps_its_files(place: Place) -> None:
    with place.visits.open("one"):
        photo = place.make("one", "photo.jpg")
    place.wait(AWAY_S - 1)
    with place.visits.open("one"):
        place.wait(AWAY_S)
        assert photo.exists()
    place.wait(AWAY_S - 1)
    assert photo.exists()


def test_a_page_that_is_open_twice_keeps_its_files(place: Place) -> None:
    with place.visits.open("one"):
        with place.visits.open("one"):
            photo = place.make("one", "photo.jpg")
        place.wait(2 * AWAY_S)
        assert photo.exists()


def test_a_file_that_another_visit_has_too_stays(place: Place) -> None:
    """Gradio keeps equal uploads once."""
    with place.visits.open("two"):
        both = place.make("two", "both.jpg")
        with place.visits.open("one"):
            place.visits.keep("one", both)
            own = place.make("one", "own.jpg")
        place.wait(AWAY_S)
        assert both.exists() and not own.exists()
    place.wait(AWAY_S)
    assert not both.exists()


def test_files_of_a_visit_without_an_open_page_go_too(place: Place) -> None:
    photo = place.make("a program", "photo.jpg")
    place.wait(AWAY_S)
    assert not photo.exists() and not place.visits._visits


def test_examples_stay_and_what_is_gone_does_no_harm(place: Place) -> None:
    example, photo = place.make("one", "example.jpg"), place.make("one", "photo.jpg")
    place.visits.keep("one", place.folder / "nothing")
    place.now += AWAY_S
    place.visits.sweep(frozenset([example]))
    assert example.exists() and not photo.exists()
