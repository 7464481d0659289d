"""Files of a visit, deleted some time after its page was closed."""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

AWAY_S = 600.0
"""How long a page may be gone: a phone in a pocket comes back to its image."""


@dataclass
class _Visit:
    """Files of one page, and since when it has been closed, in seconds of the clock."""

    left_at: float
    files: set[Path] = field(default_factory=set)


class Visits:
    """Which pages are open, and which files each has brought or been given.

    Args:
        away_s: seconds from the closing of a page to the deletion of its files.
        clock: seconds that only grow.
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

    def keep(self, session: str, file: Path) -> None:
        """Note that a file, or a folder of files, belongs to a visit."""
        with self._guard:
            visit = self._visits.setdefault(session, _Visit(self._clock()))
            visit.left_at = self._clock()
            visit.files.add(file)

    def sweep(self, spared: frozenset[Path] = frozenset()) -> None:
        """Delete files of pages that have been closed for long and that no other page has.

        Args:
            spared: files that stay.
        """
        for file in self._take_left_files() - spared:
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


visits = Visits()
