import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo import registry as registry_module
from demo.engines import Engine
from demo.errors import InvalidOption, WeightsUnavailable
from demo.registry import LoadedVariant, Registry, load_variant
from demo.segmentation import WeightsSource
from demo.variants import Variant, get_variant
from demo.weights import Checkpoint, OnProgress
from tests.conftest import FAKE_WEIGHTS, ColourEngine


def ignore(fraction: float, sentence: str) -> None:
    pass


def test_loads_once_however_many_ask() -> None:
    loads = []
    started = threading.Event()

    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        loads.append(variant.key)
        started.wait(5)
        return LoadedVariant(variant, ColourEngine(), FAKE_WEIGHTS)

    registry = Registry(load)
    with ThreadPoolExecutor(16) as callers:
        waiting = [callers.submit(registry.get, "xs") for _ in range(16)]
        started.set()
        results = {id(w.result()) for w in waiting}
    assert loads == ["xs"] and len(results) == 1


def test_all_who_wait_hear_of_the_progress() -> None:
    go_on = threading.Event()
    heard: dict[str, set[str]] = {"first": set(), "second": set()}

    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        on_progress(0.5, "Half way")
        go_on.wait(10)
        return LoadedVariant(variant, ColourEngine(), FAKE_WEIGHTS)

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


def test_a_failure_is_told_and_the_next_call_tries_again() -> None:
    attempts = []

    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        attempts.append(variant.key)
        if len(attempts) == 1:
            raise WeightsUnavailable("no weights today")
        return LoadedVariant(variant, ColourEngine(), FAKE_WEIGHTS)

    registry = Registry(load)
    with pytest.raises(WeightsUnavailable, match="today"):
        registry.get("s")
    assert registry.loaded("s") is None
    assert registry.get("s").variant.key == "s"
    assert registry.loaded("s") is not None


def test_a_time_out_inside_the_load_is_not_waited_for() -> None:
    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        raise TimeoutError("disk asleep")

    with pytest.raises(TimeoutError, match="disk asleep"):
        Registry(load).get("s")


def test_unknown_variant_is_refused() -> None:
    with pytest.raises(InvalidOption):
        Registry().get("m")


def test_first_available_is_the_largest_with_weights() -> None:
    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        if variant.key == "s":
            raise WeightsUnavailable("none")
        return LoadedVariant(variant, ColourEngine(), FAKE_WEIGHTS)

    assert Registry(load).first_available().variant.key == "xs"


@pytest.mark.parametrize(
    ("kinds", "first"),
    [
        ({"s": "bundled", "xs": "bundled", "xxs": "bundled"}, "xxs"),
        ({"s": "bundled", "xs": "hub", "xxs": "bundled"}, "xs"),
        ({"xs": "bundled"}, "xs"),
    ],
    ids=["all bundled", "one from the Hub", "only one"],
)
def test_of_bundled_weights_the_smallest_come_first(kinds: dict[str, str], first: str) -> None:
    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        if variant.key not in kinds:
            raise WeightsUnavailable("none")
        weights = dataclasses.replace(FAKE_WEIGHTS, kind=kinds[variant.key])
        return LoadedVariant(variant, ColourEngine(), weights)

    assert Registry(load).first_available().variant.key == first


def test_a_recent_failure_is_not_tried_again_for_each_visitor() -> None:
    attempts: list[str] = []

    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        attempts.append(variant.key)
        if variant.key != "xxs":
            raise WeightsUnavailable("none")
        return LoadedVariant(variant, ColourEngine(), FAKE_WEIGHTS)

    registry = Registry(load)
    assert [registry.first_available().variant.key for _ in range(3)] == ["xxs"] * 3
    assert attempts == ["s", "xs", "xxs"]
    with pytest.raises(WeightsUnavailable):
        registry.get("s")  # who asks for it by name has it tried
    assert attempts[-1] == "s"


def test_one_retry_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "RETRY_AFTER_S", -1)
    go_on = threading.Event()
    loads: list[str] = []

    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        loads.append(variant.key)
        if len(loads) > 1:
            go_on.wait(5)
        weights = dataclasses.replace(FAKE_WEIGHTS, kind="bundled")
        return LoadedVariant(variant, ColourEngine(), weights)

    registry = Registry(load)
    for _ in range(5):
        registry.get("xxs")
    go_on.set()
    assert len(loads) == 2


def test_bundled_weights_give_way_to_the_hub_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "RETRY_AFTER_S", -1)
    kinds = iter(["bundled", "hub"])
    replaced = threading.Event()

    def load(variant: Variant, on_progress: OnProgress) -> LoadedVariant:
        weights = dataclasses.replace(FAKE_WEIGHTS, kind=next(kinds))
        return LoadedVariant(variant, ColourEngine(), weights)

    registry = Registry(load)
    assert registry.get("xxs").weights.kind == "bundled"
    registry.get("xxs")  # starts the retry in the background
    for _ in range(100):
        loaded = registry.loaded("xxs")
        if loaded and loaded.weights.kind == "hub":
            return
        replaced.wait(0.05)
    pytest.fail("the bundled checkpoint was never replaced")


def test_sources_are_tried_in_order_and_passed_over_with_their_reasons(
    monkeypatch: pytest.MonkeyPatch, engine: ColourEngine
) -> None:
    def refuses(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
        raise WeightsUnavailable("the Hub is asleep")

    def has_none(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
        return None

    def has_it(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
        return Checkpoint(Path("here"), WeightsSource("bundled", "x", "r"))

    def load_engine(folder: object, variant: Variant, on_progress: object) -> Engine:
        return engine

    monkeypatch.setattr(registry_module, "SOURCES", (has_none, refuses, has_it))
    monkeypatch.setattr(registry_module, "load_engine", load_engine)
    loaded = load_variant(get_variant("s"), ignore)
    assert loaded.weights == WeightsSource("bundled", "x", "r", reason="the Hub is asleep")
    assert engine.calls == 1  # warmed up
    monkeypatch.setattr(registry_module, "SOURCES", (has_none, refuses))
    with pytest.raises(WeightsUnavailable, match=r"MobileViT-S has no weights.*Hub is asleep"):
        load_variant(get_variant("s"), ignore)


@pytest.mark.parametrize(
    ("setting", "installed", "expected"),
    [
        ("", True, "openvino"),
        ("", False, "torch"),
        ("torch", True, "torch"),
        ("openvino", True, "openvino"),
    ],
)
def test_the_engine_suits_the_machine_unless_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, setting: str, installed: bool, expected: str
) -> None:
    monkeypatch.setattr(registry_module, "_has_gpu", lambda: False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: installed or None)
    monkeypatch.setenv("SEGMENTATION_ENGINE", setting)
    assert registry_module.choose_engine.__wrapped__() == expected


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGMENTATION_ENGINE", "abacus")
    with pytest.raises(InvalidOption, match="Choose auto, torch or openvino"):
        registry_module.choose_engine.__wrapped__()
