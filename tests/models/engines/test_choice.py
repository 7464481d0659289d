import pytest

from demo.errors import InvalidOption
from demo.models.engines import choice


@pytest.mark.parametrize(
    ("setting", "installed", "expected"),
    [
        ("", True, "openvino"),
        ("", False, "torch"),
        ("torch", True, "torch"),
        ("openvino", True, "openvino"),
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
    with pytest.raises(InvalidOption, match="Choose auto, torch or openvino"):
        choice.choose_engine.__wrapped__()
