"""The one cache of models: each variant is loaded once and shared by all.

Bundled weights stand in for a variant's own weights (a local folder's or the Hub's). They are
loaded only when somebody waits for the variant and its own weights cannot be had. They give way
as soon as its own weights are loaded.
"""

from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future

from demo.errors import WeightsUnavailable
from demo.models.checkpoint import NoWeights, OnProgress
from demo.models.loading import Load, load_bundled, load_own
from demo.models.model import Model
from demo.models.slot import Slot
from demo.models.sources import rank_bundled
from demo.variants import get_variant, offered_variants


class Registry:
    """The models of this process: each variant's own, or what stands in for it.

    Args:
        load_own: how a variant's own weights are loaded.
        load_bundled: how the weights are loaded that stand in for them.
        rank_bundled: lists the variants, that with the best bundled weights first.
    """

    def __init__(
        self,
        load_own: Load = load_own,
        load_bundled: Load = load_bundled,
        rank_bundled: Callable[[], list[str]] = rank_bundled,
    ) -> None:
        self._rank_bundled = rank_bundled
        self._slots = {
            key: Slot(variant, load_own, load_bundled)
            for key, variant in offered_variants().items()
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

    def prepare(self, key: str) -> None:
        """Load a variant that nobody waits for; ask no source again that had none a moment ago.

        Raises:
            WeightsUnavailable: if it has no weights.
        """
        slot = self._slot(key)
        own = slot.start_own(again=False)
        _wait(_first_or(own.future, lambda: slot.start_stand_in().future), slot, None)

    def loaded(self, key: str) -> Model | None:
        """Give the model of a variant if it is loaded, without waiting."""
        return self._slot(key).model

    def states(self) -> dict[str, str]:
        """Describe each variant that was asked for: loaded, its progress, or why not."""
        return {key: slot.state for key, slot in self._slots.items() if slot.state}

    def first_available(self, on_progress: OnProgress | None = None) -> Model:
        """Give the largest variant that has its own weights, else the best that is bundled.

        Once any variant is loaded, nobody waits for a better one.

        Raises:
            WeightsUnavailable: if no variant has weights, with the reason of the first one tried.
        """
        best_first = [self._slots[key] for key in self._rank_bundled()]
        serving = self._best_loaded()
        for slot in reversed(self._slots.values()):
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
        for slot in best_first:
            try:
                return _wait(slot.start_stand_in().future, slot, on_progress)
            except WeightsUnavailable as error:
                sentences.append(str(error))
        raise WeightsUnavailable(sentences[0])

    def _slot(self, key: str) -> Slot:
        return self._slots[get_variant(key).key]

    def _best_loaded(self) -> Model | None:
        """Choose what `first_available` gives without waiting."""
        own = [slot.own for slot in reversed(self._slots.values())]
        stand_ins = [self._slots[key].stand_in for key in self._rank_bundled()]
        models = (loading.model for loading in [*own, *stand_ins] if loading is not None)
        return next(filter(None, models), None)


def _wait(future: "Future[Model]", slot: Slot, on_progress: OnProgress | None) -> Model:
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
