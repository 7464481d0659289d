from typing import Any

from demo.ui.comparison import on_compare


def test_each_variant_s_result_is_shown_as_soon_as_it_is_ready(photo: dict[str, Any]) -> None:
    stages = list(on_compare(photo, "whole"))
    assert [len(stage["results"]) for stage in stages] == [1, 2, 3]
    assert stages[0]["pending"] == "MobileViT-XS and MobileViT-S" and not stages[2]["pending"]
    last = stages[2]
    assert [result["key"] for result in last["results"]] == ["xxs", "xs", "s"]
    assert all(result.get("areas") == [[0, 2400], [15, 2400]] for result in last["results"])
    assert len(last["agreement"]) == 4
    assert all(each["share"] == 1.0 for each in last["agreement"])
