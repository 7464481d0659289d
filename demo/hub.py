"""Fetching a checkpoint from the Hugging Face Hub without ever hanging on it."""

import errno
import io
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any

import huggingface_hub
import tqdm
from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from demo.errors import WeightsUnavailable

CONFIG_FILE = "config.json"
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
"""In the order of preference; main holds only the second for these checkpoints."""

ANSWER_S = 4.0
"""How long the Hub may take to answer a question before it counts as unreachable."""

STALL_S = 15.0
"""How long a download may go without `STALL_BYTES` more before it is given up."""

STALL_BYTES = 64 * 1024

_UNREACHABLE = "the Hugging Face Hub could not be reached"

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (OfflineModeIsEnabled, "offline mode is switched on (HF_HUB_OFFLINE)"),
    (LocalEntryNotFoundError, _UNREACHABLE),
    (FutureTimeoutError, _UNREACHABLE),
    (RepositoryNotFoundError, "the Hugging Face Hub has no {repository}, or asks for a login"),
    (EntryNotFoundError, "{repository} has no weights on the Hugging Face Hub"),
)
"""Errors of the client and what they mean, the narrower first."""


def find_cached(repository: str) -> Path | None:
    """The snapshot folder of a repository that the local cache holds whole, or None."""
    config = _cached_file(repository, CONFIG_FILE)
    if config is None:
        return None
    for name in WEIGHT_FILES:
        weights = _cached_file(repository, name)
        if weights is not None and weights.parent == config.parent:
            return config.parent
    return None


def _cached_file(repository: str, name: str) -> Path | None:
    path = huggingface_hub.try_to_load_from_cache(repository, name)
    return Path(path) if isinstance(path, str) else None


def download(repository: str, on_progress: Callable[[float], None]) -> Path:
    """Download a checkpoint's config and weights, replacing what the cache holds of them.

    Args:
        on_progress: called with the fraction of the weights that has arrived.

    Returns:
        The snapshot folder.

    Raises:
        WeightsUnavailable: if the Hub cannot be reached, has no such files, or stalls.
    """
    if constants.is_offline_mode():
        raise WeightsUnavailable("offline mode is switched on (HF_HUB_OFFLINE)")
    try:
        name, commit = _choose_weights(repository)
        _fetch(repository, CONFIG_FILE, commit, lambda fraction: None)
        return _fetch(repository, name, commit, on_progress).parent
    except WeightsUnavailable:
        raise
    except Exception as error:  # each HTTP client and storage backend raises its own types
        raise WeightsUnavailable(_explain(error, repository)) from error


def _choose_weights(repository: str) -> tuple[str, str | None]:
    """The first of the files of weights that main has, and main's commit."""
    for name in WEIGHT_FILES[:-1]:
        try:
            return name, _ask(repository, name)
        except EntryNotFoundError:
            continue
    return WEIGHT_FILES[-1], _ask(repository, WEIGHT_FILES[-1])


def _ask(repository: str, name: str) -> str | None:
    """Whether main has a file, in one request without retries; its commit."""
    url = huggingface_hub.hf_hub_url(repository, name)
    asked = _in_thread(lambda: huggingface_hub.get_hf_file_metadata(url, timeout=ANSWER_S))
    commit: str | None = asked.result(timeout=ANSWER_S).commit_hash
    return commit


def _in_thread(call: Callable[[], Any]) -> "Future[Any]":
    """Run a call that nothing can interrupt (a look-up of a host name, say) beside us."""
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hub")
    future = executor.submit(call)
    executor.shutdown(wait=False)
    return future


def _fetch(
    repository: str, name: str, commit: str | None, on_progress: Callable[[float], None]
) -> Path:
    bytes_arrived = 0

    class Counter(tqdm.tqdm):  # type: ignore[type-arg]
        """A progress bar that shows nothing and tells what has arrived."""

        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*args, **{**options, "file": io.StringIO(), "disable": False})

        def update(self, n: float | None = 1) -> bool | None:
            nonlocal bytes_arrived
            bytes_arrived += int(n or 0)
            if self.total:
                on_progress(min(1.0, bytes_arrived / self.total))
            return super().update(n)

    arriving = _in_thread(
        lambda: huggingface_hub.hf_hub_download(
            repository, name, revision=commit, force_download=True, tqdm_class=Counter
        )
    )
    seen_bytes, seen_at = 0, time.monotonic()
    while True:
        try:
            return Path(arriving.result(timeout=0.2))
        except FutureTimeoutError:
            if arriving.done():
                raise
        if bytes_arrived - seen_bytes >= STALL_BYTES:
            seen_bytes, seen_at = bytes_arrived, time.monotonic()
        if time.monotonic() - seen_at > STALL_S:
            raise WeightsUnavailable(f"the download of {repository} stalled")


def _explain(error: Exception, repository: str) -> str:
    """One clause for why the Hub gave nothing."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason.format(repository=repository)
    if isinstance(error, HfHubHTTPError):
        return f"the Hugging Face Hub refused with status {error.response.status_code}"
    return _UNREACHABLE
