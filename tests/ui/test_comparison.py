from dataclasses import replace
from typing import Any

import numpy as np

from demo.models.checkpoint import Accuracy
from demo.ui.comparison import on_compare
from demo.ui.viewer_value import agreement, compared_value
from tests.support.models import FAKE_WEIGHTS, make_segmentation


def test_each_variant_s_result_is_shown_as_soon_as_it_is_ready(photo: dict[str, Any]) -> None:
    stages = list(on_compare(photo, "whole"))
    assert [len(stage["results"]) for stage in stages] == [0, 1, 2, 3]
    assert stages[1]["pending"] == "Computing MobileViT-XS, 2 of 3 …"
    last = stages[3]
    assert last["pending"] == ""
    assert [result["key"] for result in last["results"]] == ["xxs", "xs", "s"]
    assert all(result.get("areas") == [[0, 2400], [15, 2400]] for result in last["results"])
    assert len(last["agreement"]) == 4
    assert all(each["share"] == 1.0 for each in last["agreement"])


def test_the_agreement_of_each_pair_and_of_all_counts_seen_pixels_only() -> None:
    rows = [[0, 0, 0, 0, 255], [0, 0, 8, 8, 255], [0, 15, 15, 8, 255]]
    keys = ["xxs", "xs", "s"]
    done = [
        make_segmentation(np.array([row], np.uint8), variant=key)
        for row, key in zip(rows, keys, strict=True)
    ]
    found = {tuple(row["variants"]): row["share"] for row in agreement(done)}
    assert found == {("xxs", "xs"): 0.5, ("xxs", "s"): 0.25, ("xs", "s"): 0.5, (*keys,): 0.25}
    assert agreement(done[:1]) == agreement([]) == []


def test_the_accuracy_is_that_of_the_loaded_weights() -> None:
    plain = make_segmentation(np.zeros((2, 3), np.uint8), variant="xs")
    accuracies = [Accuracy(is_mean=False, percent=92.1), None]
    weights = [replace(FAKE_WEIGHTS, accuracy=accuracy) for accuracy in accuracies]
    shown = [compared_value(replace(plain, weights=each))["accuracy"] for each in weights]
    assert shown == ["person IoU 92.1 %", ""]
