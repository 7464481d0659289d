"""A lock that nobody overtakes at."""

import threading
from collections import deque


class FairLock:
    """A lock given to threads in the order in which they asked for it.

    `threading.Lock` may go to whoever happens to run, so that under load a few wait many times
    as long as the others.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()  # stays taken, by the next thread
            else:
                self._taken = False
