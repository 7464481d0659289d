from pathlib import Path

import pytest

from demo import loading
from demo.engines import Engine
from demo.errors import InvalidOption, WeightsUnavailable
from demo.loading import load_variant
from demo.segmentation import WeightsSource
from demo.variants import Variant, get_variant
from demo.weights import Checkpoint, OnProgress
from tests.conftest import ColourEngine, ignore


def test_sources_are_tried_in_order_and_passed_over_with_their_reasons(
    monkeypatch: pytest.MonkeyPatch, engine: ColourEngine
) -> None:
    def refuses(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
        raise WeightsUnavailable("the Hub is asleep")

    def has_none(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
        return None

    def has_it(variant: Variant, on_progress: OnProgress) -> Checkpoint | None:
        return Checkpoint(Path("here"), WeightsSource("hub", "x", "r"))

    def load_engine(folder: object, variant: Variant, on_progress: object) -> Engine:
        return engine

    monkeypatch.setattr(loading, "SOURCES", (has_none, refuses, has_it))
    monkeypatch.setattr(loading, "load_engine", load_engine)
    loaded = load_variant(get_variant("s"), ignore)
    assert loaded.weights == WeightsSource("hub", "x", "r", reason="the Hub is asleep")
    assert engine.calls == 1  # warmed up
    monkeypatch.setattr(loading, "SOURCES", (has_none, refuses))
    with pytest.raises(WeightsUnavailable, match=r"^the Hub is asleep$"):
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
    monkeypatch.setattr(loading, "_has_gpu", lambda: False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: installed or None)
    monkeypatch.setenv("SEGMENTATION_ENGINE", setting)
    assert loading.choose_engine.__wrapped__() == expected


def test_an_engine_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("SEGMENTATION_ENGINE", "openvino")
    with pytest.raises(InvalidOption, match=r"not installed\. Install it"):
        loading.choose_engine.__wrapped__()


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGMENTATION_ENGINE", "abacus")
    with pytest.raises(InvalidOption, match="Choose auto, torch or openvino"):
        loading.choose_engine.__wrapped__()
