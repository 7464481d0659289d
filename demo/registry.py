"""The one cache: a variant -> a loaded, warmed engine and where its weights came from.

Bundled weights stand in for a variant's own (a local folder's or the Hub's). They are loaded only
where somebody waits for them, and give way as soon as its own are had.
"""

import dataclasses
import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from demo.errors import WeightsUnavailable
from demo.loading import (
    Load,
    LoadedVariant,
    because,
    load_bundled,
    load_engine,
    load_variant,
)
from demo.variants import VARIANTS, Variant, get_variant
from demo.weights import OnProgress, read_source

DEFAULT_VARIANT = "s"
RETRY_AFTER_S = 300.0
"""How long a variant's own weights are taken to be unavailable while something stands in."""


@dataclass
class _Loading:
    """One load under way or done, shared by all who ask for the variant."""

    future: "Future[LoadedVariant]" = field(default_factory=Future)
    progress: tuple[float, str] = (0.0, "Starting")
    finished_at: float = 0.0

    @property
    def loaded(self) -> LoadedVariant | None:
        """What was loaded; None while under way or where it failed."""
        if not self.future.done() or self.future.exception() is not None:
            return None
        return self.future.result()

    @property
    def failed(self) -> bool:
        """Whether it ended without anything loaded."""
        return self.future.done() and self.future.exception() is not None

    @property
    def state(self) -> str:
        """Loaded, its progress, or why not."""
        if not self.future.done():
            fraction, sentence = self.progress
            return f"{sentence}, {fraction:.0%}"
        error = self.future.exception()
        return "loaded" if error is None else f"not loaded: {error}"


class _Loads:
    """Loads each variant once, in a thread of its own, however many ask at the same time.

    Args:
        load: how one variant is loaded.
        retry_after_s: how long it is taken for granted that a variant has no weights.
    """

    def __init__(self, load: Load, retry_after_s: float) -> None:
        self._load, self._retry_after_s = load, retry_after_s
        self._loadings: dict[str, _Loading] = {}
        self._lock = threading.Lock()

    def start(self, variant: Variant, again: bool = False) -> _Loading:
        """Begin to load a variant, unless it is loaded, being loaded, or had no weights lately.

        Args:
            variant: what to load.
            again: whether to try again even so.
        """
        with self._lock:
            loading = self._loadings.get(variant.key)
            if loading is None or (loading.failed and (again or self._may_differ(loading))):
                loading = self._loadings[variant.key] = self._begin(variant)
        return loading

    def find(self, variant: Variant) -> _Loading | None:
        """What has become of a variant, if it was asked for."""
        return self._loadings.get(variant.key)

    def loaded(self, variant: Variant) -> LoadedVariant | None:
        """The variant if it is loaded."""
        loading = self._loadings.get(variant.key)
        return loading.loaded if loading is not None else None

    def drop(self, variant: Variant) -> None:
        """Forget what was loaded."""
        with self._lock:
            self._loadings.pop(variant.key, None)

    def _may_differ(self, loading: _Loading) -> bool:
        """Whether what failed is worth another try: it is long ago, or was no lack of weights."""
        is_long_ago = time.monotonic() - loading.finished_at >= self._retry_after_s
        return is_long_ago or not isinstance(loading.future.exception(), WeightsUnavailable)

    def _begin(self, variant: Variant) -> _Loading:
        loading = _Loading()
        loading.future.set_running_or_notify_cancel()  # who no longer waits cannot cancel it

        def report(fraction: float, sentence: str) -> None:
            loading.progress = (fraction, sentence)

        def run() -> None:
            try:
                loaded = self._load(variant, report)
            except BaseException as error:
                loading.finished_at = time.monotonic()
                loading.future.set_exception(error)
            else:
                loading.finished_at = time.monotonic()
                loading.future.set_result(loaded)

        threading.Thread(target=run, name=f"load-{variant.key}", daemon=True).start()
        return loading


class Registry:
    """The variants of this process: each with its own weights, or with what stands in for them.

    Args:
        load: how a variant's own weights are loaded.
        load_stand_in: how those are loaded that serve while its own cannot be had; None for none.
    """

    def __init__(
        self, load: Load = load_variant, load_stand_in: Load | None = load_bundled
    ) -> None:
        self._load, self._load_stand_in = load, load_stand_in
        self._own = _Loads(self._load_own, RETRY_AFTER_S)
        self._stand_ins = _Loads(self._load_instead, 0.0)
        self._reasons: dict[str, str] = {}

    def get(self, key: str, on_progress: OnProgress | None = None) -> LoadedVariant:
        """The loaded variant; loads it, or waits for whoever is loading it.

        Args:
            key: ``xxs``, ``xs`` or ``s``.
            on_progress: called a few times a second while it loads.

        Raises:
            InvalidOption: if there is no such variant.
            WeightsUnavailable: if it has no weights; the next call tries again.
        """
        return self._wait(self.request(key), get_variant(key), on_progress)

    def request(self, key: str) -> "Future[LoadedVariant]":
        """The same without waiting: a future, which gives the variant or raises as `get` does.

        While a stand-in serves, the variant's own weights are asked for in the background.
        """
        variant = get_variant(key)
        standing = self._stand_ins.find(variant)
        own = self._own.start(variant, again=standing is None or standing.failed)
        if standing is not None and standing.loaded and not own.loaded:
            return standing.future
        return _first_or(own.future, lambda: self._start_stand_in(variant))

    def loaded(self, key: str) -> LoadedVariant | None:
        """The variant if it is loaded, without waiting."""
        variant = get_variant(key)
        return self._own.loaded(variant) or self._stand_ins.loaded(variant)

    def states(self) -> dict[str, str]:
        """What has become of each variant that was asked for: loaded, its progress, or why not."""
        states = {key: self._state(variant) for key, variant in VARIANTS.items()}
        return {key: state for key, state in states.items() if state}

    def first_available(self, on_progress: OnProgress | None = None) -> LoadedVariant:
        """The largest variant that has its own weights; if none has, the smallest that is bundled.

        The larger bundled checkpoints have had less training for their size. Once any variant is
        loaded, nobody waits for a better one.

        Raises:
            WeightsUnavailable: if none has any, with the reason of the smallest.
        """
        serving = self._best_loaded()
        for variant in reversed(VARIANTS.values()):
            own = self._own.start(variant, again=serving is None and self._has_failed(variant))
            if serving is not None and not own.future.done():
                return serving
            try:
                return self._wait(own.future, variant, on_progress)
            except WeightsUnavailable:
                continue
        if serving is not None:
            return serving
        reasons: list[str] = []
        for variant in VARIANTS.values():
            try:
                return self._wait(self._start_stand_in(variant), variant, on_progress)
            except WeightsUnavailable as error:
                reasons.append(str(error))
        raise WeightsUnavailable(reasons[0])

    def _best_loaded(self) -> LoadedVariant | None:
        """What `first_available` gives without waiting."""
        own = map(self._own.loaded, reversed(VARIANTS.values()))
        stand_ins = map(self._stand_ins.loaded, VARIANTS.values())
        return next(filter(None, [*own, *stand_ins]), None)

    def _has_failed(self, variant: Variant) -> bool:
        standing = self._stand_ins.find(variant)
        return standing is not None and standing.failed

    def _start_stand_in(self, variant: Variant) -> "Future[LoadedVariant]":
        return self._stand_ins.start(variant).future

    def _load_own(self, variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        """Load a variant's own weights, for which nothing has to stand in from then on."""
        try:
            loaded = self._load(variant, on_progress)
        except WeightsUnavailable as error:
            self._reasons[variant.key] = str(error)
            raise
        self._stand_ins.drop(variant)
        return loaded

    def _load_instead(self, variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        """Load what stands in, with the reason why its own weights could not be had."""
        reasons = [self._reasons[variant.key]]
        if self._load_stand_in is None:
            raise WeightsUnavailable(*reasons)
        try:
            loaded = self._load_stand_in(variant, on_progress)
        except WeightsUnavailable as error:
            reasons += filter(None, [str(error)])
            raise WeightsUnavailable(
                f"{variant.label} has no weights on this machine: {'; '.join(reasons)}. "
                "Choose another variant, or try again later."
            ) from error
        return dataclasses.replace(loaded, weights=because(loaded.weights, reasons))

    def _wait(
        self, future: "Future[LoadedVariant]", variant: Variant, on_progress: OnProgress | None
    ) -> LoadedVariant:
        while not futures.wait([future], timeout=0.2).done:
            loading = self._under_way(variant)
            if on_progress is not None and loading is not None:
                on_progress(*loading.progress)
        error = future.exception()
        if error is not None:
            raise _anew(error)
        return future.result()

    def _under_way(self, variant: Variant) -> _Loading | None:
        """The load of a variant that counts now: the stand-in's once its own has failed."""
        own, stand_in = self._own.find(variant), self._stand_ins.find(variant)
        return stand_in if stand_in is not None and own is not None and own.failed else own

    def _state(self, variant: Variant) -> str:
        if self.loaded(variant.key):
            return "loaded"
        loading = self._under_way(variant)
        return loading.state if loading is not None else ""


def _anew(error: BaseException) -> BaseException:
    """The same error to raise once more: one that lasts would keep the frames of all its callers.

    Only a lack of weights lasts; after anything else the next call tries again.
    """
    return WeightsUnavailable(str(error)) if isinstance(error, WeightsUnavailable) else error


def _first_or(
    first: "Future[LoadedVariant]", other: "Callable[[], Future[LoadedVariant]]"
) -> "Future[LoadedVariant]":
    """What the first future gives, or where it has no weights, what the other gives."""
    answer: Future[LoadedVariant] = Future()
    answer.set_running_or_notify_cancel()

    def settle(done: "Future[LoadedVariant]") -> None:
        error = done.exception()
        if error is None:
            answer.set_result(done.result())
        elif done is first and isinstance(error, WeightsUnavailable):
            follow()
        else:
            answer.set_exception(_anew(error))

    def follow() -> None:
        try:
            other().add_done_callback(settle)
        except Exception as error:  # which a callback would swallow, and nobody be answered
            answer.set_exception(error)

    first.add_done_callback(settle)
    return answer


def open_registry(folder: Path) -> Registry:
    """A registry whose variants all come from one checkpoint's folder."""

    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        engine = load_engine(folder, variant, on_progress)
        return LoadedVariant(variant, engine, read_source(folder, "local"))

    return Registry(load, None)


def keep(loaded: LoadedVariant) -> Registry:
    """A registry of one variant as it is now, for work whose images all need the same weights."""
    return Registry(lambda variant, on_progress: loaded, None)


_default_registry = Registry()


def default_registry() -> Registry:
    """The registry that page, API and command line share in one process."""
    return _default_registry
