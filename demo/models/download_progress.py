"""How much of a download has arrived."""

import io
from collections.abc import Callable
from typing import Any

import tqdm


class Arrived:
    """Counts the bytes that have arrived of one file, and ends its download once abandoned."""

    def __init__(self, on_progress: Callable[[float], None]) -> None:
        self.bytes = 0
        self.abandoned = False
        self._on_progress = on_progress

    def add(self, count: float, total: float | None) -> None:
        """Count some more bytes; ends the download if it was abandoned."""
        if self.abandoned:
            raise InterruptedError("abandoned")
        self.bytes += int(count)
        if total:
            self._on_progress(min(1.0, self.bytes / total))

    def progress_bar(self) -> type[tqdm.tqdm]:  # type: ignore[type-arg]
        """Build a class of progress bars that show nothing and report to this object."""
        arrived = self

        class Counter(tqdm.tqdm):  # type: ignore[type-arg]
            def __init__(self, *args: Any, **options: Any) -> None:
                options.pop("name", None)
                super().__init__(*args, **{**options, "file": io.StringIO(), "disable": False})

            def update(self, n: float | None = 1) -> bool | None:
                arrived.add(n or 0, self.total)
                return super().update(n)

        return Counter
