"""The oldest files go first, and only as many as must."""

import os
import threading
from pathlib import Path

import pytest

from demo.web.storage import YOUNG_S, keep_trimmed, list_files, trim


def make(folder: Path, age_s: float, size: int = 100) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{age_s:g}"
    file.write_bytes(bytes(size))
    os.utime(file, (1e9 - age_s, 1e9 - age_s))
    return file


@pytest.mark.parametrize(
    ("max_bytes", "left"),
    [(500, 5), (499, 4), (201, 2), (0, 1)],
    ids=["fits", "one", "three", "all"],
)
def test_the_oldest_go_until_the_rest_fits(tmp_path: Path, max_bytes: int, left: int) -> None:
    for age_s in (0, 100, 200, 300, 400):
        make(tmp_path / f"folder {age_s}", age_s)
    assert trim(tmp_path, max_bytes) == (5 - left) * 100
    assert [100 * n for n in range(left)] == [
        int(path.name) for _, _, path in reversed(list_files(tmp_path))
    ]
    assert len(list(tmp_path.iterdir())) == left


def test_young_and_spared_files_stay(tmp_path: Path) -> None:
    young = make(tmp_path, YOUNG_S - 1)
    spared = make(tmp_path, 900)
    make(tmp_path, 800)
    make(tmp_path, 0)
    trim(tmp_path, 0, frozenset([spared]))
    assert {path for _, _, path in list_files(tmp_path)} == {young, spared, tmp_path / "0"}


def test_what_was_there_at_the_beginning_stays(tmp_path: Path) -> None:
    example = make(tmp_path, 900)

    class Stop(threading.Event):
        """Two files come, then there is time for one trimming."""

        waits = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.waits += 1
            if self.waits == 1:
                make(tmp_path, 800)
                make(tmp_path, 0)
            return self.waits > 1

    keep_trimmed(lambda: tmp_path, 0, Stop())
    assert {path for _, _, path in list_files(tmp_path)} == {example, tmp_path / "0"}


def test_a_folder_that_is_missing_is_empty(tmp_path: Path) -> None:
    assert trim(tmp_path / "none", 0) == 0
