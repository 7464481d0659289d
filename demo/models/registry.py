"""The one cache of models: each variant is loaded once and shared by all.

Bundled weights stand in for a variant's own weights (a local folder's or the Hub's). They are
loaded only when somebody waits for the variant and its own weights cannot be had. They give way
as soon as its own weights are loaded.
"""

import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future

from demo.errors import WeightsUnavailable
from demo.models.checkpoint import NoWeights, OnProgress
from demo.models.loading import Load, load_bundled, load_own, with_reason
from demo.models.model import Model
from demo.variants import VARIANTS, Variant, get_variant

DEFAULT_VARIANT = "s"
RETRY_AFTER_S = 300.0
"""How long to wait before asking again for a variant's own weights while a stand-in serves."""


class _Loading:
    """One load, in a thread of its own; all who ask for the same thing share it.

    Attributes:
        future: gives the model, or raises what the load raised.
        progress: the fraction and the sentence reported last.
        ended_at: when the load ended, in seconds of `time.monotonic`.
    """

    def __init__(self, name: str, load: Callable[[OnProgress], Model]) -> None:
        self.future: Future[Model] = Future()
        self.future.set_running_or_notify_cancel()  # one who stops waiting cannot cancel it
        self.progress = (0.0, "Starting")
        self.ended_at = 0.0
        self._load = load
        threading.Thread(target=self._run, name=f"load-{name}", daemon=True).start()

    @property
    def model(self) -> Model | None:
        """The model; None while it is being loaded or where that failed."""
        if not self.future.done() or self.future.exception() is not None:
            return None
        return self.future.result()

    @property
    def has_failed(self) -> bool:
        """Whether the load ended without a model."""
        return self.future.done() and self.future.exception() is not None

    @property
    def may_succeed_now(self) -> bool:
        """Whether a failed load is worth another try: it is long ago, or had weights."""
        is_long_ago = time.monotonic() - self.ended_at >= RETRY_AFTER_S
        return is_long_ago or not isinstance(self.future.exception(), NoWeights)

    @property
    def state(self) -> str:
        """Loaded, its progress, or why not."""
        if not self.future.done():
            fraction, sentence = self.progress
            return f"{sentence}, {fraction:.0%}"
        error = self.future.exception()
        return "loaded" if error is None else f"not loaded: {error}"

    def _run(self) -> None:
        try:
            model = self._load(self._report)
        except BaseException as error:
            self.ended_at = time.monotonic()
            self.future.set_exception(error)
        else:
            self.future.set_result(model)

    def _report(self, fraction: float, sentence: str) -> None:
        self.progress = (fraction, sentence)


class _Slot:
    """The place of one variant in the cache.

    Attributes:
        own: the load of the variant's own weights, once it has begun.
        stand_in: the load of the bundled weights, once it has begun; None again as soon as the
            variant's own weights are loaded.
        reason: why its own weights could not be had, as a clause.
    """

    def __init__(self, variant: Variant, load_own: Load, load_bundled: Load) -> None:
        self.variant = variant
        self.own: _Loading | None = None
        self.stand_in: _Loading | None = None
        self.reason = ""
        self._loads = load_own, load_bundled
        self._guard = threading.Lock()

    @property
    def model(self) -> Model | None:
        """The model that serves now, without waiting."""
        own = self.own.model if self.own else None
        return own or (self.stand_in.model if self.stand_in else None)

    @property
    def latest(self) -> _Loading | None:
        """The load to wait for: the stand-in's once the variant's own has failed."""
        return self.stand_in if self.stand_in and self.own and self.own.has_failed else self.own

    @property
    def state(self) -> str:
        """Loaded, its progress, or why not; empty if nobody has asked."""
        if self.model is not None:
            return "loaded"
        return self.latest.state if self.latest is not None else ""

    @property
    def has_no_stand_in(self) -> bool:
        """Whether the bundled weights were tried and could not be had."""
        return self.stand_in is not None and self.stand_in.has_failed

    def start_own(self, *, again: bool) -> _Loading:
        """Begin to load the variant's own weights, unless they are loaded or being loaded.

        Args:
            again: whether to try again even if there were none a short time ago.
        """
        with self._guard:
            own = self.own
            if own is None or (own.has_failed and (again or own.may_succeed_now)):
                own = self.own = _Loading(self.variant.key, self._load_own)
        return own

    def start_stand_in(self) -> _Loading:
        """Begin to load the bundled weights, unless they are loaded or being loaded."""
        with self._guard:
            stand_in = self.stand_in
            if stand_in is None or stand_in.has_failed:
                stand_in = self.stand_in = _Loading(self.variant.key, self._load_stand_in)
        return stand_in

    def _load_own(self, on_progress: OnProgress) -> Model:
        try:
            model = self._loads[0](self.variant, on_progress)
        except NoWeights as error:
            self.reason = str(error)
            raise
        self.stand_in = None
        return model

    def _load_stand_in(self, on_progress: OnProgress) -> Model:
        try:
            model = self._loads[1](self.variant, on_progress)
        except NoWeights as error:
            reasons = "; ".join(filter(None, [self.reason, str(error)]))
            raise WeightsUnavailable(
                f"{self.variant.label} has no weights on this machine: {reasons}. "
                "Choose another variant, or try again later."
            ) from error
        return with_reason(model, self.reason)


class Registry:
    """The models of this process: each variant's own, or what stands in for it.

    Args:
        load_own: how a variant's own weights are loaded.
        load_bundled: how the weights are loaded that stand in for them.
    """

    def __init__(self, load_own: Load = load_own, load_bundled: Load = load_bundled) -> None:
        self._slots = {
            key: _Slot(variant, load_own, load_bundled) for key, variant in VARIANTS.items()
        }

    def get(self, key: str, on_progress: OnProgress | None = None) -> Model:
        """Give the model of a variant; load it, or wait for whoever is loading it.

        Args:
            key: ``xxs``, ``xs`` or ``s``.
            on_progress: called a few times a second while it loads.

        Raises:
            InvalidOption: if there is no such variant.
            WeightsUnavailable: if it has no weights; the next call tries again.
        """
        return _wait(self.request(key), self._slot(key), on_progress)

    def request(self, key: str) -> "Future[Model]":
        """Do the same without waiting: the future gives the model or raises as `get` does.

        While a stand-in serves, the variant's own weights are asked for in the background.
        """
        slot = self._slot(key)
        stand_in = slot.stand_in
        own = slot.start_own(again=stand_in is None or stand_in.has_failed)
        if stand_in is not None and stand_in.model and not own.model:
            return stand_in.future
        return _first_or(own.future, lambda: slot.start_stand_in().future)

    def loaded(self, key: str) -> Model | None:
        """Give the model of a variant if it is loaded, without waiting."""
        return self._slot(key).model

    def states(self) -> dict[str, str]:
        """Describe each variant that was asked for: loaded, its progress, or why not."""
        return {key: slot.state for key, slot in self._slots.items() if slot.state}

    def first_available(self, on_progress: OnProgress | None = None) -> Model:
        """Give the largest variant that has its own weights, else the smallest that is bundled.

        The larger bundled checkpoints have had less training for their size. Once any variant is
        loaded, nobody waits for a better one.

        Raises:
            WeightsUnavailable: if no variant has weights, with the reason of the smallest.
        """
        smallest_first = list(self._slots.values())
        serving = self._best_loaded()
        for slot in reversed(smallest_first):
            own = slot.start_own(again=serving is None and slot.has_no_stand_in)
            if serving is not None and not own.future.done():
                return serving
            try:
                return _wait(own.future, slot, on_progress)
            except NoWeights:
                continue
        if serving is not None:
            return serving
        sentences: list[str] = []
        for slot in smallest_first:
            try:
                return _wait(slot.start_stand_in().future, slot, on_progress)
            except WeightsUnavailable as error:
                sentences.append(str(error))
        raise WeightsUnavailable(sentences[0])

    def _slot(self, key: str) -> _Slot:
        return self._slots[get_variant(key).key]

    def _best_loaded(self) -> Model | None:
        """Choose what `first_available` gives without waiting."""
        slots = list(self._slots.values())
        own = [slot.own for slot in reversed(slots)]
        stand_ins = [slot.stand_in for slot in slots]
        models = (loading.model for loading in [*own, *stand_ins] if loading is not None)
        return next(filter(None, models), None)


def _wait(future: "Future[Model]", slot: _Slot, on_progress: OnProgress | None) -> Model:
    while not futures.wait([future], timeout=0.2).done:
        loading = slot.latest
        if on_progress is not None and loading is not None:
            on_progress(*loading.progress)
    error = future.exception()
    if error is not None:
        raise _copied(error)
    return future.result()


def _copied(error: BaseException) -> BaseException:
    """Copy an error that a future holds for long: raised itself, it keeps each caller's frames.

    Only a lack of weights is held. After any other error the next call tries again.
    """
    return type(error)(str(error)) if isinstance(error, NoWeights | WeightsUnavailable) else error


def _first_or(first: "Future[Model]", other: "Callable[[], Future[Model]]") -> "Future[Model]":
    """Give what the first future gives or, where it has no weights, what the other gives."""
    answer: Future[Model] = Future()
    answer.set_running_or_notify_cancel()

    def settle(done: "Future[Model]") -> None:
        error = done.exception()
        if error is None:
            answer.set_result(done.result())
        elif done is first and isinstance(error, NoWeights):
            follow()
        else:
            answer.set_exception(_copied(error))

    def follow() -> None:
        try:
            other().add_done_callback(settle)
        except Exception as error:  # a callback would swallow it, and nobody would be answered
            answer.set_exception(error)

    first.add_done_callback(settle)
    return answer


_default_registry = Registry()


def default_registry() -> Registry:
    """Give the registry that page, API and command line share in one process."""
    return _default_registry
