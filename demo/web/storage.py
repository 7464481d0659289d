"""Keeps the folder of uploads and results from growing without end."""

import os
import time
from contextlib import suppress
from pathlib import Path

from demo.web.visits import Visits

KEPT_S = 4500.0
"""How long any upload or result stays, at most."""

YOUNG_S = 30.0
"""Files as new as this may still be written or read for the first time, and stay."""


def list_files(folder: Path) -> list[tuple[float, int, Path]]:
    """Time of the last change in seconds, size in bytes, and path of every file, oldest first."""
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            file = Path(path, name)
            try:
                status = file.stat()
            except OSError:
                continue  # deleted meanwhile
            found.append((status.st_mtime, status.st_size, file))
    return sorted(found)


def trim(folder: Path, max_bytes: int, spared: frozenset[Path] = frozenset()) -> int:
    """Delete the oldest files until the rest is no larger than allowed.

    Args:
        folder: with all below it.
        max_bytes: of all files together.
        spared: files that stay and do not count.

    Returns:
        Bytes deleted.
    """
    files = [entry for entry in list_files(folder) if entry[2] not in spared]
    newest = max((changed for changed, _, _ in files), default=0.0)
    excess = sum(size for _, size, _ in files) - max_bytes
    deleted = 0
    for changed, size, file in files:
        if deleted >= excess or changed > newest - YOUNG_S:
            break
        delete(file, folder)
        deleted += size
    return deleted


def forget(folder: Path, older_than: float, spared: frozenset[Path] = frozenset()) -> None:
    """Delete files that were last changed before a time, in seconds since the epoch."""
    for changed, _, file in list_files(folder):
        if changed < older_than and file not in spared:
            delete(file, folder)


def delete(file: Path, folder: Path) -> None:
    """Delete a file and the folder around it if it is empty then; others may be faster."""
    with suppress(OSError):
        file.unlink()
    if file.parent != folder:
        with suppress(OSError):
            file.parent.rmdir()  # refuses where there is anything in it


def keep_tidy(folder: Path, spared: frozenset[Path], max_bytes: int, visits: Visits) -> None:
    """Delete what is old, what is left of visits, and what is too much.

    Args:
        folder: of uploads and results.
        spared: the examples.
        max_bytes: of all other files together.
        visits: whose pages are open.
    """
    visits.sweep(spared)
    forget(folder, time.time() - KEPT_S, spared)
    trim(folder, max_bytes, spared)
