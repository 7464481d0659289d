"""Fetching a checkpoint from the Hugging Face Hub without ever hanging on it."""

import errno
import logging
import os
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TypeVar

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from demo.models.checkpoint import CONFIG_FILE, WEIGHT_FILES, NoWeights
from demo.models.download_progress import Arrived

ANSWER_S = 4.0
"""How long the Hub may take to answer a question before it counts as unreachable."""

SILENCE_S = 5.0
"""How long a Hub that did not answer is left alone, so that the next variant need not wait."""

STALL_S = 15.0
"""How long a download may take for the next `STALL_BYTES` before it is given up."""

STALL_BYTES = 256 * 1024

# Disable Xet: it reports progress only every 10 MB. Plain HTTP counts bytes as they arrive.
constants.DOWNLOAD_CHUNK_SIZE = None  # type: ignore[assignment]
constants.HF_HUB_DISABLE_XET = True

logger = logging.getLogger(__name__)

_UNREACHABLE = "the Hugging Face Hub could not be reached"
_REFUSED_TOKEN = "The Hub refused the token of {}, and was asked without it."

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (OfflineModeIsEnabled, "offline mode is switched on (HF_HUB_OFFLINE)"),
    (LocalEntryNotFoundError, _UNREACHABLE),
    (FutureTimeoutError, _UNREACHABLE),
    (ConnectionError, _UNREACHABLE),
    (RepositoryNotFoundError, "the Hugging Face Hub has no {repository}, or asks for a login"),
    (RevisionNotFoundError, "the Hugging Face Hub has no revision {repository}"),
    (EntryNotFoundError, "{repository} has no weights on the Hugging Face Hub"),
)
"""Errors of the client and what they mean; the narrower ones come first."""

_Answer = TypeVar("_Answer")
_silent_until = 0.0


def split_revision(repository: str) -> tuple[str, str | None]:
    """Split ``OWNER/NAME@REVISION``; without a revision, it is None, which means ``main``."""
    owner_and_name, _, revision = repository.partition("@")
    return owner_and_name, revision or None


def find_cached(repository: str) -> Path | None:
    """Find the snapshot folder of a repository that the local cache holds whole, or None."""
    config = _cached_file(repository, CONFIG_FILE)
    if config is None:
        return None
    for name in WEIGHT_FILES:
        weights = _cached_file(repository, name)
        if weights is not None and weights.parent == config.parent:
            return config.parent
    return None


def _cached_file(repository: str, name: str) -> Path | None:
    owner_and_name, revision = split_revision(repository)
    path = huggingface_hub.try_to_load_from_cache(owner_and_name, name, revision=revision)
    return Path(path) if isinstance(path, str) else None


def download(repository: str, on_progress: Callable[[float], None]) -> tuple[Path, str]:
    """Download a checkpoint's config and weights, replacing those in the cache.

    A token that the Hub refuses is left out: public checkpoints need none.

    Args:
        repository: on the Hub, with its owner, and ``@REVISION`` for another one than ``main``.
        on_progress: called with the fraction of the weights that has arrived, in [0, 1].

    Returns:
        The snapshot folder, and a sentence about a refused token, or "".

    Raises:
        NoWeights: if the Hub cannot be reached, has no such files, or stalls.
    """
    try:
        if constants.is_offline_mode():
            raise OfflineModeIsEnabled
        use_token = _is_token_accepted(repository)
        name = _choose_weights(repository, use_token)
        _fetch(repository, CONFIG_FILE, use_token, lambda fraction: None)
        snapshot = _fetch(repository, name, use_token, on_progress).parent
        return snapshot, "" if use_token else _REFUSED_TOKEN.format(_token_name())
    except NoWeights:
        raise
    except Exception as error:  # each HTTP client and storage backend raises its own types
        logger.warning("%s: the Hub gave nothing: %r", repository, error)
        raise NoWeights(_explain(error, repository)) from error


def _is_token_accepted(repository: str) -> bool:
    """Ask for the config with the token, and if that is refused, without it.

    The Hub refuses an expired or wrong token even for what is public.
    """
    if huggingface_hub.get_token() is None:
        return True
    try:
        _ask(repository, CONFIG_FILE, True)
    except HfHubHTTPError as error:
        if error.response.status_code != 401:
            raise
        logger.warning("the Hub refused the token of %s", _token_name())
        try:
            _ask(repository, CONFIG_FILE, False)
        except HfHubHTTPError:
            raise NoWeights(
                f"the Hugging Face Hub refused the token of {_token_name()}, and {repository} "
                "cannot be read without one"
            ) from error
        return False
    return True


def _token_name() -> str:
    """Say where the token came from."""
    variables = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
    return next((name for name in variables if os.environ.get(name)), "the login on this machine")


def _choose_weights(repository: str, use_token: bool) -> str:
    """Name the preferred file of weights in a repository."""
    for name in WEIGHT_FILES[:-1]:
        try:
            _ask(repository, name, use_token)
            return name
        except EntryNotFoundError:
            continue
    _ask(repository, WEIGHT_FILES[-1], use_token)
    return WEIGHT_FILES[-1]


def _ask(repository: str, name: str, use_token: bool) -> None:
    """Ask for a file in one request without retries; raises what the Hub answers."""
    global _silent_until  # noqa: PLW0603 one process asks one Hub
    if time.monotonic() < _silent_until:
        raise NoWeights(_unreachable())
    owner_and_name, revision = split_revision(repository)
    url = huggingface_hub.hf_hub_url(owner_and_name, name, revision=revision)
    # The client's own limit holds for each connect and read, and only ends the thread. Our limit
    # comes first.
    asked = _in_thread(
        lambda: huggingface_hub.get_hf_file_metadata(
            url, timeout=2 * ANSWER_S, token=None if use_token else False
        )
    )
    try:
        asked.result(timeout=ANSWER_S)
    except FutureTimeoutError:
        _silent_until = time.monotonic() + SILENCE_S
        raise


def _in_thread(call: Callable[[], _Answer]) -> "Future[_Answer]":
    """Run a call in its own thread, because nothing can interrupt it (a host look-up, say)."""
    future: Future[_Answer] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="hub", daemon=True).start()
    return future


def _fetch(
    repository: str, name: str, use_token: bool, on_progress: Callable[[float], None]
) -> Path:
    arrived = Arrived(on_progress)
    owner_and_name, revision = split_revision(repository)
    arriving = _in_thread(
        lambda: huggingface_hub.hf_hub_download(
            owner_and_name,
            name,
            revision=revision,
            force_download=True,
            token=None if use_token else False,
            tqdm_class=arrived.progress_bar(),
        )
    )
    bytes_then, then = 0, time.monotonic()
    while not futures.wait([arriving], timeout=0.2).done:
        if arrived.bytes - bytes_then >= STALL_BYTES:
            bytes_then, then = arrived.bytes, time.monotonic()
        if time.monotonic() - then > STALL_S:
            arrived.abandoned = True
            raise NoWeights(f"the download of {repository} stalled or kept breaking off")
    return Path(arriving.result())


def _explain(error: Exception, repository: str) -> str:
    """Write a clause for why the Hub gave nothing."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            clause = reason.format(repository=repository)
            return _unreachable() if clause == _UNREACHABLE else clause
    if isinstance(error, HfHubHTTPError):
        return f"the Hugging Face Hub refused with status {error.response.status_code}"
    if isinstance(error, OSError):
        return "the Hub's cache on this machine cannot be written"
    if type(error).__module__.startswith("httpx"):
        return _unreachable()
    return f"the download of {repository} failed"


def _unreachable() -> str:
    """Say that the Hub did not answer, and through which proxies it was asked."""
    proxies = urllib.request.getproxies()
    if not proxies.keys() & {"http", "https", "all"}:
        return _UNREACHABLE
    return f"{_UNREACHABLE} through the proxy that the environment names"
