"""The one cache: a variant -> a loaded, warmed engine and where its weights came from."""

import dataclasses
import functools
import importlib.util
import logging
import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from demo.engines import Engine
from demo.errors import InvalidOption, WeightsUnavailable
from demo.framing import DEFAULT_SIDE
from demo.segmentation import WeightsSource
from demo.settings import engine_choice
from demo.variants import VARIANTS, Variant, get_variant
from demo.weights import SOURCES, OnProgress, read_source

logger = logging.getLogger(__name__)

DEFAULT_VARIANT = "s"
RETRY_AFTER_S = 300.0
"""How long a bundled checkpoint stands in before the Hub is asked again, in the background, and
how long `Registry.first_available` takes a failure for granted."""


@dataclass(frozen=True)
class LoadedVariant:
    """An engine that is ready to run, and where its weights came from."""

    variant: Variant
    engine: Engine
    weights: WeightsSource


@dataclass
class _Loading:
    """One load under way or done, shared by all who ask for the variant."""

    future: "Future[LoadedVariant]" = field(default_factory=Future)
    progress: tuple[float, str] = (0.0, "Starting")
    finished_at: float = 0.0
    is_retried: bool = False


def load_variant(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
    """Load from the best source that has usable weights, and run the network once.

    Raises:
        WeightsUnavailable: if no source has any, with the reason of each.
    """
    reasons: list[str] = []
    for find in SOURCES:
        try:
            checkpoint = find(variant, on_progress)
            if checkpoint is None:
                continue
            on_progress(1.0, f"Loading {variant.label}")
            engine = load_engine(checkpoint.folder, variant, on_progress)
            _warm_up(engine, variant)
        except WeightsUnavailable as error:
            logger.info("%s: %s gave no weights: %s", variant.label, find.__name__, error)
            reasons.append(str(error))
            continue
        except InvalidOption:
            raise
        except Exception as error:  # a broken source must not stand in the way of the next
            logger.warning("%s: %s failed: %r", variant.label, find.__name__, error)
            reasons.append(f"the checkpoint of {variant.label} cannot be used")
            continue
        weights = dataclasses.replace(checkpoint.source, reason="; ".join(reasons))
        logger.info("%s: %s weights, %s", variant.label, weights.kind, weights.name)
        return LoadedVariant(variant, engine, weights)
    raise WeightsUnavailable(
        f"{variant.label} has no weights on this machine: {'; '.join(reasons)}. "
        "Choose another variant, or try again later."
    )


def _warm_up(engine: Engine, variant: Variant) -> None:
    """Run the network once, so that the first visitor does not wait, and look at what it says."""
    grey = np.full((1, 3, DEFAULT_SIDE, DEFAULT_SIDE), 0.5, np.float32)
    if not np.isfinite(engine(grey)).all():
        raise WeightsUnavailable(f"the checkpoint of {variant.label} gives no finite numbers")


def load_engine(folder: Path, variant: Variant, on_progress: OnProgress) -> Engine:
    """Load a checkpoint into the engine that suits this machine.

    Raises:
        WeightsUnavailable: if the checkpoint is damaged or belongs to another architecture.
    """
    # engines are imported here because their runtimes take seconds to import
    if choose_engine() == "openvino":
        from demo.engines.openvino import load_openvino_engine  # noqa: PLC0415

        return load_openvino_engine(folder, variant, on_progress)
    from demo.engines.pytorch import load_torch_engine  # noqa: PLC0415

    return load_torch_engine(folder, variant)


@functools.cache
def choose_engine() -> str:
    """``torch`` on a GPU, else ``openvino`` if it is installed, unless the settings say."""
    chosen = engine_choice()
    if chosen != "auto":
        return chosen
    if _has_gpu():
        return "torch"
    if importlib.util.find_spec("openvino") is None:
        logger.info("openvino is not installed; running on torch, which is slower on a CPU.")
        return "torch"
    return "openvino"


def _has_gpu() -> bool:
    if not Path("/dev/nvidiactl").exists():
        return False  # saves the import
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_available())


class Registry:
    """Loads each variant once, however many ask for it at the same time.

    Args:
        load: how one variant is loaded; called in a thread of its own.
    """

    def __init__(self, load: Callable[[Variant, OnProgress], LoadedVariant] = load_variant) -> None:
        self._load = load
        self._loadings: dict[str, _Loading] = {}
        self._lock = threading.Lock()

    def get(self, key: str, on_progress: OnProgress | None = None) -> LoadedVariant:
        """The loaded variant; loads it, or waits for whoever is loading it.

        Args:
            key: ``xxs``, ``xs`` or ``s``.
            on_progress: called a few times a second while it loads.

        Raises:
            InvalidOption: if there is no such variant.
            WeightsUnavailable: if it has no weights; the next call tries again.
        """
        loading = self.start(key)
        while not futures.wait([loading.future], timeout=0.2).done:
            if on_progress is not None:
                on_progress(*loading.progress)
        return loading.future.result()

    def start(self, key: str) -> _Loading:
        """Begin to load a variant in the background, unless it is loaded or being loaded."""
        variant = get_variant(key)
        with self._lock:
            loading = self._loadings.get(variant.key)
            if loading is None or _failed(loading):
                loading = self._loadings[variant.key] = self._begin(variant, _Loading())
            elif _may_improve(loading):
                loading.is_retried = True
                self._begin(variant, _Loading(), replaces=loading)
        return loading

    def loaded(self, key: str) -> LoadedVariant | None:
        """The variant if it is loaded, without waiting."""
        loading = self._loadings.get(get_variant(key).key)
        if loading is None or not loading.future.done() or _failed(loading):
            return None
        return loading.future.result()

    def states(self) -> dict[str, str]:
        """What has become of each variant that was asked for: loaded, its progress, or why not."""
        return {key: _state(loading) for key, loading in self._loadings.copy().items()}

    def first_available(self, on_progress: OnProgress | None = None) -> LoadedVariant:
        """The largest variant that has weights, S first; if all are bundled, the smallest.

        The larger bundled checkpoints have had less training for their size. A variant that
        failed lately is passed over, but for the last resort, the smallest.

        Raises:
            WeightsUnavailable: if none has.
        """
        smallest, *larger = VARIANTS
        bundled = None
        for key in [*reversed(larger), smallest]:
            loading = self._loadings.get(key)
            if key != smallest and loading is not None and _failed_lately(loading):
                continue
            try:
                loaded = self.get(key, on_progress)
            except WeightsUnavailable as error:
                last_error = error
                continue
            if loaded.weights.kind != "bundled":
                return loaded
            bundled = loaded
        if bundled is None:
            raise last_error
        return bundled

    def _begin(
        self, variant: Variant, loading: _Loading, replaces: _Loading | None = None
    ) -> _Loading:
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
            if replaces is not None:
                self._settle_retry(variant, replaces, loading)

        threading.Thread(target=run, name=f"load-{variant.key}", daemon=True).start()
        return loading

    def _settle_retry(self, variant: Variant, standing: _Loading, retried: _Loading) -> None:
        with self._lock:
            if not _failed(retried) and retried.future.result().weights.kind != "bundled":
                self._loadings[variant.key] = retried
            standing.finished_at = time.monotonic()
            standing.is_retried = False


def _state(loading: _Loading) -> str:
    if not loading.future.done():
        fraction, sentence = loading.progress
        return f"{sentence}, {fraction:.0%}"
    error = loading.future.exception()
    return "loaded" if error is None else str(error)


def _failed(loading: _Loading) -> bool:
    return loading.future.done() and loading.future.exception() is not None


def _failed_lately(loading: _Loading) -> bool:
    return _failed(loading) and time.monotonic() - loading.finished_at < RETRY_AFTER_S


def _may_improve(loading: _Loading) -> bool:
    """Whether a bundled checkpoint stands in for one that the Hub may have by now."""
    if (
        loading.is_retried
        or not loading.future.done()
        or loading.future.result().weights.kind != "bundled"
    ):
        return False
    return time.monotonic() - loading.finished_at > RETRY_AFTER_S


def open_registry(folder: Path) -> Registry:
    """A registry whose variants all come from one checkpoint's folder."""

    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        engine = load_engine(folder, variant, on_progress)
        return LoadedVariant(variant, engine, read_source(folder, "local"))

    return Registry(load)


_default_registry = Registry()


def default_registry() -> Registry:
    """The registry that page, API and command line share in one process."""
    return _default_registry
