"""Long work for one visitor, which another request of the same visit can stop."""

import threading

_ENDS_WITHIN_S = 10.0


class Run:
    """The work on one video, or on many images.

    Gradio's own way to cancel would not do: a run that is begun while Gradio still waits for the
    end of the one before is left out without a word.
    """

    def __init__(self) -> None:
        self.is_stopped = False
        self._idle = threading.Event()
        self._idle.set()

    def start(self) -> None:
        """Note that the work has begun."""
        self._idle.clear()

    def end(self) -> None:
        """Note that nothing will be shown any more."""
        self._idle.set()

    def stop(self) -> None:
        """Let the work end after the step it is at, and wait for that, but not for ever."""
        self.is_stopped = True
        self._idle.wait(_ENDS_WITHIN_S)
