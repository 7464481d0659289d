from pathlib import Path

import pytest

from demo.errors import InvalidOption
from demo.models.checkpoint import Checkpoint
from demo.models.engines import choice
from demo.settings import ray_addresses
from demo.variants import get_variant
from tests.support.models import FAKE_WEIGHTS, ColourEngine, ignore


@pytest.mark.parametrize(
    ("setting", "installed", "expected"),
    [
        ("", True, "openvino"),
        ("", False, "torch"),
        ("torch", True, "torch"),
        ("openvino", True, "openvino"),
        ("ray", True, "ray"),
    ],
)
def test_the_setting_decides_and_otherwise_the_machine(
    monkeypatch: pytest.MonkeyPatch, setting: str, installed: bool, expected: str
) -> None:
    monkeypatch.setattr(choice, "_has_gpu", lambda: False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: installed or None)
    monkeypatch.setenv("SEGMENTATION_ENGINE", setting)
    assert choice.choose_engine.__wrapped__() == expected


def test_an_engine_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("SEGMENTATION_ENGINE", "openvino")
    with pytest.raises(InvalidOption, match=r"not installed\. Install it"):
        choice.choose_engine.__wrapped__()


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGMENTATION_ENGINE", "abacus")
    with pytest.raises(InvalidOption, match="Choose auto, torch, openvino or ray"):
        choice.choose_engine.__wrapped__()


@pytest.mark.parametrize(
    "address", ["", ",", "10.0.0.2:7870", "https://a:1", "http://a", "http://a:70000"]
)
def test_an_address_of_replicas_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("SEGMENTATION_RAY_ADDRESS", address)
    with pytest.raises(InvalidOption, match="Expected http://HOST:PORT"):
        ray_addresses()


def test_several_addresses_of_replicas_have_commas_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEGMENTATION_RAY_ADDRESS", "http://10.0.0.2:7870/, http://node-3:80")
    assert ray_addresses() == ("http://10.0.0.2:7870", "http://node-3:80")


@pytest.mark.parametrize(
    ("setting", "has_bf16", "still", "live"),
    [
        ("", True, "f32", "bf16"),
        ("", False, "f32", None),
        ("f32", True, "f32", None),
        ("bf16", True, "bf16", None),
        ("bf16", False, "f32", None),
    ],
)
def test_images_get_f32_and_live_view_bf16_unless_the_settings_say_otherwise(
    monkeypatch: pytest.MonkeyPatch, setting: str, has_bf16: bool, still: str, live: str | None
) -> None:
    f32, bf16 = ColourEngine(), ColourEngine()
    bf16.precision = "bf16"
    monkeypatch.setattr(choice, "_load_both", lambda *_: (f32, bf16 if has_bf16 else None))
    monkeypatch.setenv("SEGMENTATION_PRECISION", setting)
    checkpoint = Checkpoint(Path("here"), FAKE_WEIGHTS, "0")
    engine, bf16_engine = choice.load_engines(checkpoint, get_variant("xxs"), ignore)
    assert engine.precision == still
    assert (bf16_engine.precision if bf16_engine else None) == live


def test_an_unknown_precision_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGMENTATION_PRECISION", "int8")
    checkpoint = Checkpoint(Path("here"), FAKE_WEIGHTS, "0")
    with pytest.raises(InvalidOption, match="Choose auto, f32 or bf16"):
        choice.load_engines(checkpoint, get_variant("xxs"), ignore)
