"""The oldest files go first, and only as many as must."""

import os
from pathlib import Path

import pytest

from demo.web.storage import KEPT_S, YOUNG_S, delete, keep_tidy, list_files, trim
from demo.web.visits import Visits


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


def test_all_rules_together_spare_the_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.web.storage.time.time", lambda: 1e9)
    example = make(tmp_path / "a", KEPT_S + 1)
    old = make(tmp_path / "b", KEPT_S + 2)
    excess = make(tmp_path / "c", 900)
    left = make(tmp_path / "d", 20)
    young = make(tmp_path / "e", 10)
    visits = Visits(away_s=0)
    visits.keep("gone", left)
    visits.keep("gone", example)
    keep_tidy(tmp_path, frozenset([example]), 100, visits)
    assert not old.exists() and not excess.exists() and not left.exists()
    assert {path for _, _, path in list_files(tmp_path)} == {example, young}


def test_others_may_delete_at_the_same_time(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    file, other = make(folder, 1), make(folder, 2)
    delete(file, tmp_path)
    assert other.exists()
    delete(file, tmp_path)
    delete(other, tmp_path)
    assert not folder.exists()
    delete(other, tmp_path)


def test_a_folder_that_is_missing_is_empty(tmp_path: Path) -> None:
    assert trim(tmp_path / "none", 0) == 0
