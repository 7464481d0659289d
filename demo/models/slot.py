"""The place of one variant in the registry: its own weights, and what stands in for them."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from demo.errors import WeightsUnavailable
from demo.models.checkpoint import NoWeights, OnProgress
from demo.models.loading import Load, with_reason
from demo.models.model import Model
from demo.variants import Variant

RETRY_AFTER_S = 300.0
"""How long to wait before asking again for a variant's own weights while a stand-in serves."""


class Loading:
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


class Slot:
    """The place of one variant in the cache.

    Attributes:
        own: the load of the variant's own weights, once it has begun.
        stand_in: the load of the bundled weights, once it has begun; None again as soon as the
            variant's own weights are loaded.
        reason: why its own weights could not be had, as a clause.
    """

    def __init__(self, variant: Variant, load_own: Load, load_bundled: Load) -> None:
        self.variant = variant
        self.own: Loading | None = None
        self.stand_in: Loading | None = None
        self.reason = ""
        self._loads = load_own, load_bundled
        self._guard = threading.Lock()

    @property
    def model(self) -> Model | None:
        """The model that serves now, without waiting."""
        own = self.own.model if self.own else None
        return own or (self.stand_in.model if self.stand_in else None)

    @property
    def latest(self) -> Loading | None:
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

    def start_own(self, *, again: bool) -> Loading:
        """Begin to load the variant's own weights, unless they are loaded or being loaded.

        Args:
            again: whether to try again even if there were none a short time ago.
        """
        with self._guard:
            own = self.own
            if own is None or (own.has_failed and (again or own.may_succeed_now)):
                own = self.own = Loading(self.variant.key, self._load_own)
        return own

    def start_stand_in(self) -> Loading:
        """Begin to load the bundled weights, unless they are loaded or being loaded."""
        with self._guard:
            stand_in = self.stand_in
            if stand_in is None or stand_in.has_failed:
                stand_in = self.stand_in = Loading(self.variant.key, self._load_stand_in)
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
