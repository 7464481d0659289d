import dataclasses

import pytest

from demo.classes import CLASS_NAMES
from demo.models.checkpoint import WeightsSource
from demo.ui.components import render_error
from tests.support.models import FAKE_WEIGHTS


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (WeightsSource("hub", "apple/x", "abc"), "Weights: apple/x (abc), from the Hugging Face"),
        (
            WeightsSource("bundled", "b", "r", ("background", "person"), "the Hub is down"),
            "bundled with this app because the Hub is down. They know background and person only.",
        ),
        (WeightsSource("bundled", "b", "r", CLASS_NAMES[:-1]), "They do not know tvmonitor."),
        (dataclasses.replace(FAKE_WEIGHTS), "from the configured folder."),
    ],
    ids=["hub", "bundled", "all but one", "local"],
)
def test_the_weights_source_is_described(weights: WeightsSource, says: str) -> None:
    assert says in weights.describe()


def test_an_error_s_text_is_escaped() -> None:
    assert "<script>" not in render_error("<script>alert(1)</script>")
