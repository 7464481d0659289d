"""How long uploads and results stay on the disk, and what deletes them.

Three rules delete files: a visit's files go some time after its page was closed, every file goes
at a certain age, and the oldest go where all together take too much room. Gradio's own clean-up
is needed as well: it deletes what this process took when the process stops.
"""

import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

AWAY_S = 600.0
"""How long a closed page keeps its files: a phone in a pocket comes back to its image."""

MAX_AGE_S = 4500.0
"""The greatest age of any upload or result."""

GRADIO_CLEAN_UP_S = (900, 3600)
"""How often Gradio looks for old files of this process, and from which age on it deletes them."""

YOUNG_S = 30.0
"""Files younger than this may still be written or read for the first time, and stay."""

SENTENCE = (
    f"They are deleted from it {AWAY_S / 60:.0f} minutes after you leave, and within "
    f"{MAX_AGE_S / 60:.0f} minutes in any case."
)
"""What the page says of all this; "they" are images and videos."""


@dataclass
class _Visit:
    """The files of one page.

    Attributes:
        left_at: when the page was last open or busy, in seconds of the clock.
        files: files and folders.
    """

    left_at: float
    files: set[Path] = field(default_factory=set)


class Visits:
    """Knows which pages are open, and which files each has uploaded or been given.

    Args:
        away_s: seconds from the closing of a page to the deletion of its files.
        clock: gives seconds that never go back.
    """

    def __init__(self, away_s: float = AWAY_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._away_s, self._clock = away_s, clock
        self._guard = threading.Lock()
        self._open: Counter[str] = Counter()
        self._visits: dict[str, _Visit] = {}

    @contextmanager
    def open(self, session: str) -> Iterator[None]:
        """Note that a page is open until the block ends."""
        with self._guard:
            self._open[session] += 1
        try:
            yield
        finally:
            with self._guard:
                self._open[session] -= 1
                if not self._open[session]:
                    del self._open[session]
                if session in self._visits:
                    self._visits[session].left_at = self._clock()

    def note(self, session: str, file: Path) -> None:
        """Note that a file, or a folder of files, belongs to a visit."""
        with self._guard:
            visit = self._visits.setdefault(session, _Visit(self._clock()))
            visit.left_at = self._clock()
            visit.files.add(file)

    def sweep(self) -> None:
        """Delete the files of pages that were closed long ago, unless another page has them."""
        for file in self._take_left_files():
            if file.is_dir():
                shutil.rmtree(file, ignore_errors=True)
            else:
                with suppress(OSError):
                    file.unlink()

    def _take_left_files(self) -> set[Path]:
        with self._guard:
            latest = self._clock() - self._away_s
            gone = [
                session
                for session, visit in self._visits.items()
                if session not in self._open and visit.left_at <= latest
            ]
            files = set[Path]().union(*(self._visits.pop(session).files for session in gone))
            return files.difference(*(visit.files for visit in self._visits.values()))


def list_files(folder: Path) -> list[tuple[float, int, Path]]:
    """List (time of the last change in seconds, size in bytes, path) of all files, oldest first."""
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            file = Path(path, name)
            try:
                status = file.stat()
            except OSError:
                continue  # another process has deleted it
            found.append((status.st_mtime, status.st_size, file))
    return sorted(found)


def trim(folder: Path, max_bytes: int) -> int:
    """Delete the oldest files until the rest is no larger than allowed.

    Args:
        folder: the folder, with all folders below it.
        max_bytes: most that all files together may take.

    Returns:
        How many bytes were deleted.
    """
    files = list_files(folder)
    newest = max((changed for changed, _, _ in files), default=0.0)
    excess = sum(size for _, size, _ in files) - max_bytes
    deleted = 0
    for changed, size, file in files:
        if deleted >= excess or changed > newest - YOUNG_S:
            break
        delete(file, folder)
        deleted += size
    return deleted


def forget(folder: Path, older_than: float) -> None:
    """Delete files that were last changed before a time, in seconds since the epoch."""
    for changed, _, file in list_files(folder):
        if changed < older_than:
            delete(file, folder)


def delete(file: Path, folder: Path) -> None:
    """Delete a file, and its folder if that is empty then; another process may be faster."""
    with suppress(OSError):
        file.unlink()
    if file.parent != folder:
        with suppress(OSError):
            file.parent.rmdir()  # refuses a folder that is not empty


def tidy(folder: Path, max_bytes: int, visits: Visits) -> None:
    """Apply all three rules.

    Args:
        folder: the folder of uploads and results.
        max_bytes: most that all files together may take.
        visits: knows which pages are open.
    """
    visits.sweep()
    forget(folder, time.time() - MAX_AGE_S)
    trim(folder, max_bytes)


visits = Visits()
"""Those of this process."""
