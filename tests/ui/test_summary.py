import dataclasses

import numpy as np
import pytest

from demo.classes import NOT_SEEN
from demo.segmentation import WeightsSource
from demo.ui.summary import render_error, render_summary
from tests.conftest import FAKE_WEIGHTS, make_segmentation


def test_table_and_legend_carry_the_same_classes_in_order() -> None:
    class_map = np.zeros((1000, 1234), np.uint8)
    class_map[:400], class_map[990:, :7] = 15, 8
    html = render_summary(make_segmentation(class_map))
    legend, table = html.split("<table")
    for part in (legend, table):
        assert part.index("background") < part.index("person") < part.index("cat")
    assert "1,234,000" in table and "493,600" in table and ">40.00<" in table
    assert "#c08080" in legend and "#c08080" in table


def test_not_seen_is_named_and_kept_out_of_the_shares() -> None:
    class_map = np.full((10, 10), NOT_SEEN, np.uint8)
    class_map[:, 2:] = 15
    html = render_summary(make_segmentation(class_map, "crop"))
    assert html.count("not seen") == 2 and ">20<" in html and "% of seen" in html
    assert html.count(">100.00<") == 2


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (WeightsSource("hub", "apple/x", "abc"), "Weights: apple/x (abc), from the Hugging Face"),
        (
            WeightsSource("bundled", "b", "r", ("background", "person"), "the Hub is down"),
            "bundled with this app because the Hub is down. They know background and person only.",
        ),
        (dataclasses.replace(FAKE_WEIGHTS), "from the configured folder."),
    ],
    ids=["hub", "bundled", "local"],
)
def test_weights_are_named_with_what_they_know(weights: WeightsSource, says: str) -> None:
    assert says in weights.describe()


def test_words_of_others_are_escaped() -> None:
    assert "<script>" not in render_error("<script>alert(1)</script>")
