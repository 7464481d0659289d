"""Keeps the folder of uploads and results from growing without end."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

EVERY_S = 5.0
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
        file.unlink(missing_ok=True)
        deleted += size
        if not any(file.parent.iterdir()) and file.parent != folder:
            file.parent.rmdir()
    return deleted


def keep_trimmed(folder: Callable[[], Path], max_bytes: int, stop: threading.Event) -> None:
    """Trim every few seconds until told to stop; what is there at the beginning is spared."""
    spared = frozenset(file for _, _, file in list_files(folder()))
    while not stop.wait(EVERY_S):
        trim(folder(), max_bytes, spared)
