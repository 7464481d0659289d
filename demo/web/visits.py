"""Files of a visit, deleted some time after its page was closed."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AWAY_S = 600.0
"""How long a page may be gone: a phone in a pocket comes back to its image."""


class Visits:
    """Which pages are open, and which files each has brought or been given.

    Args:
        away_s: seconds from the closing of a page to the deletion of its files.
    """

    def __init__(self, away_s: float = AWAY_S) -> None:
        self._away_s = away_s
        self._guard = threading.Lock()
        self._open: Counter[str] = Counter()
        self._files: dict[str, set[Path]] = {}
        self._timers: dict[str, threading.Timer] = {}

    @contextmanager
    def open(self, session: str) -> Iterator[None]:
        """Note that a page is open until the block ends."""
        with self._guard:
            self._open[session] += 1
            if timer := self._timers.pop(session, None):
                timer.cancel()
        try:
            yield
        finally:
            self._leave(session)

    def keep(self, session: str | None, file: Path) -> None:
        """Note that a file, or a folder of files, belongs to a visit."""
        if session is not None:
            with self._guard:
                self._files.setdefault(session, set()).add(file)

    def _leave(self, session: str) -> None:
        with self._guard:
            self._open[session] -= 1
            if self._open[session] > 0:
                return
            del self._open[session]
            if session in self._files:
                timer = threading.Timer(self._away_s, self._forget, [session])
                timer.daemon = True
                self._timers[session] = timer
                timer.start()

    def _forget(self, session: str) -> None:
        """Delete the files of a visit that no other one has too."""
        with self._guard:
            if session in self._open:
                return
            self._timers.pop(session, None)
            others = set().union(*(f for s, f in self._files.items() if s != session))
            files = self._files.pop(session, set()) - others
        for file in files:
            if file.is_dir():
                shutil.rmtree(file, ignore_errors=True)
            else:
                file.unlink(missing_ok=True)


visits = Visits()
