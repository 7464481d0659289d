import contextlib
import dataclasses
import gc
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo.errors import InvalidOption, WeightsUnavailable
from demo.models import slot
from demo.models.checkpoint import NoWeights, OnProgress
from demo.models.model import Model
from demo.models.registry import Registry
from demo.variants import VARIANTS, Variant
from tests.support.models import FAKE_WEIGHTS, ColourEngine


class Source:
    """A source with weights of some variants that notes which variants it was asked for."""

    def __init__(self, kind: str, *keys: str) -> None:
        self.keys = set(keys)
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self._kind = kind

    def __call__(self, variant: Variant, on_progress: OnProgress) -> Model:
        self.asked.append(variant.key)
        on_progress(0.5, f"Loading {self._kind}")
        assert self.go_on.wait(10)
        if variant.key not in self.keys:
            raise NoWeights(f"no {self._kind} weights")
        weights = dataclasses.replace(FAKE_WEIGHTS, kind=self._kind)
        return Model(variant, ColourEngine(), weights)


def build_registry(own: Source, bundled: Source) -> Registry:
    """A registry whose bundled weights are best for XS and worst for XXS."""
    return Registry(own, bundled, lambda: ["xs", "s", "xxs"])


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something that happens in the background is so."""
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_callers_at_the_same_time_share_one_load() -> None:
    loads = []
    started = threading.Event()

    def load(variant: Variant, on_progress: OnProgress) -> Model:
        loads.append(variant.key)
        started.wait(5)
        return Model(variant, ColourEngine(), FAKE_WEIGHTS)

    registry = Registry(load)
    with ThreadPoolExecutor(16) as callers:
        waiting = [callers.submit(registry.get, "xs") for _ in range(16)]
        started.set()
        results = {id(w.result()) for w in waiting}
    assert loads == ["xs"] and len(results) == 1


def test_every_waiting_caller_gets_the_progress() -> None:
    go_on = threading.Event()
    heard: dict[str, set[str]] = {"first": set(), "second": set()}

    def load(variant: Variant, on_progress: OnProgress) -> Model:
        on_progress(0.5, "Half way")
        go_on.wait(10)
        return Model(variant, ColourEngine(), FAKE_WEIGHTS)

    registry = Registry(load)

    def listen(name: str) -> None:
        def on_progress(fraction: float, sentence: str) -> None:
            heard[name].add(sentence)
            if all("Half way" in sentences for sentences in heard.values()):
                go_on.set()

        registry.get("s", on_progress)

    with ThreadPoolExecutor(2) as callers:
        for waiting in [callers.submit(listen, name) for name in heard]:
            waiting.result()
    assert go_on.is_set()


def test_a_failure_is_reported_and_the_next_call_tries_again() -> None:
    hub, bundled = Source("hub"), Source("bundled")
    registry = build_registry(hub, bundled)
    with pytest.raises(WeightsUnavailable) as caught:
        registry.get("s")
    assert str(caught.value) == (
        "MobileViT-S has no weights on this machine: no hub weights; no bundled weights. "
        "Choose another variant, or try again later."
    )
    assert registry.loaded("s") is None
    assert registry.states() == {"s": f"not loaded: {caught.value}"}
    hub.keys.add("s")
    assert registry.get("s").weights.kind == "hub"
    assert registry.loaded("s") is not None


def test_a_timeout_inside_the_load_is_raised_at_once() -> None:
    def load(variant: Variant, on_progress: OnProgress) -> Model:
        raise TimeoutError("disk asleep")

    with pytest.raises(TimeoutError, match="disk asleep"):
        Registry(load).get("s")


def test_cancelling_a_waiter_does_not_cancel_the_load() -> None:
    hub = Source("hub", "s")
    hub.go_on.clear()
    registry = Registry(hub)
    assert not registry.request("s").cancel()
    hub.go_on.set()
    assert registry.get("s").weights.kind == "hub"


def test_unknown_variant_is_refused() -> None:
    with pytest.raises(InvalidOption):
        Registry().get("m")


@pytest.mark.parametrize(
    ("hub_has", "bundled_has", "first", "hub_asked", "bundled_asked"),
    [
        (["xxs", "xs", "s"], ["xxs", "xs", "s"], "s", ["s"], []),
        (["xxs", "xs"], ["s"], "xs", ["s", "xs"], []),
        ([], ["xxs", "xs", "s"], "xs", ["s", "xs", "xxs"], ["xs"]),
        ([], ["xxs"], "xxs", ["s", "xs", "xxs"], ["xs", "s", "xxs"]),
    ],
    ids=["all", "some on the Hub", "all bundled", "one bundled"],
)
def test_first_available_is_the_largest_from_the_hub_or_else_the_best_bundled(
    hub_has: list[str],
    bundled_has: list[str],
    first: str,
    hub_asked: list[str],
    bundled_asked: list[str],
) -> None:
    hub, bundled = Source("hub", *hub_has), Source("bundled", *bundled_has)
    registry = build_registry(hub, bundled)
    assert [registry.first_available().variant.key for _ in range(3)] == [first] * 3
    assert hub.asked == hub_asked and bundled.asked == bundled_asked
    assert registry.states()[first] == "loaded"


def test_without_any_weights_every_call_tries_all_variants_again() -> None:
    hub = Source("hub")
    registry = build_registry(hub, Source("bundled"))
    for _ in range(2):
        with pytest.raises(WeightsUnavailable, match=r"XS.*no hub weights; no bundled"):
            registry.first_available()
    assert hub.asked == ["s", "xs", "xxs"] * 2
    hub.keys.add("xs")
    assert registry.first_available().variant.key == "xs"


def test_a_variant_requested_by_name_is_looked_for_again() -> None:
    hub = Source("hub")
    registry = build_registry(hub, Source("bundled", "xxs"))
    assert registry.first_available().variant.key == "xxs"
    hub.keys.add("s")
    assert registry.get("s").weights.kind == "hub"
    assert registry.first_available().variant.key == "s"


def test_a_stand_in_gives_its_reason_and_the_hub_is_not_asked_again() -> None:
    hub, bundled = Source("hub"), Source("bundled", "s")
    registry = build_registry(hub, bundled)
    bundled.go_on.clear()
    asked = registry.request("s")
    wait_until(lambda: registry.states() == {"s": "Loading bundled, 50%"})
    bundled.go_on.set()
    assert asked.result(10) is registry.get("s")
    assert asked.result().weights.reason == "no hub weights"
    assert hub.asked == ["s"] and bundled.asked == ["s"]


def test_preparing_a_variant_asks_a_source_without_weights_no_second_time() -> None:
    hub, bundled = Source("hub"), Source("bundled", "s", "xxs")
    registry = build_registry(hub, bundled)
    registry.first_available()
    registry.prepare("xxs")
    assert registry.states()["xxs"] == "loaded"
    assert hub.asked.count("xxs") == 1
    with pytest.raises(WeightsUnavailable):
        registry.prepare("xs")


@pytest.mark.parametrize("ask", ["get", "first_available"])
def test_bundled_weights_serve_until_those_of_the_hub_are_loaded(
    monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    monkeypatch.setattr(slot, "RETRY_AFTER_S", 0)
    hub, bundled = Source("hub"), Source("bundled", "xxs", "xs")
    registry = build_registry(hub, bundled)
    stand_in = weakref.ref(registry.get("xxs").engine)
    hub.go_on.clear()
    hub.keys.update(VARIANTS)
    hub.asked.clear()

    def ask_once() -> Model:
        return registry.get("xxs") if ask == "get" else registry.first_available()

    assert [ask_once().weights.kind for _ in range(5)] == ["bundled"] * 5  # no call waits
    assert hub.asked == ["xxs" if ask == "get" else "s"]  # once, in the background
    hub.go_on.set()
    wait_until(lambda: ask_once().weights.kind == "hub")
    assert bundled.asked == ["xxs"]
    registry.get("xxs")
    gc.collect()
    assert stand_in() is None


def test_the_hub_s_variant_serves_while_a_larger_one_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slot, "RETRY_AFTER_S", 0)
    hub = Source("hub", "xs")
    registry = build_registry(hub, Source("bundled", "xxs"))
    registry.get("xxs")
    registry.get("xs")
    hub.go_on.clear()
    assert registry.first_available().variant.key == "xs"
    hub.go_on.set()


@pytest.mark.parametrize(
    "bundled_has", [["xxs"], []], ids=["with a stand-in", "without any weights"]
)
def test_a_stored_failure_does_not_hold_the_callers_images(bundled_has: list[str]) -> None:
    registry = build_registry(Source("hub"), Source("bundled", *bundled_has))
    held: list[weakref.ref[ColourEngine]] = []

    def call() -> None:
        image = ColourEngine()  # stands for an image that the caller holds
        held.append(weakref.ref(image))
        with contextlib.suppress(WeightsUnavailable):
            registry.first_available()
        with contextlib.suppress(WeightsUnavailable):
            registry.get("xs")

    for _ in range(3):
        call()
    gc.collect()
    assert [image() for image in held] == [None] * 3
