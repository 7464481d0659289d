import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.support.models import make_segmentation

GOOD = make_segmentation(np.zeros((4, 6), np.uint8))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"class_map": np.zeros((4, 5), np.uint8)}, "class map"),
        ({"class_map": np.zeros((4, 6), np.int64)}, "class map"),
        ({"logits": np.zeros((2, 32, 32), np.float32)}, "21"),
        ({"logits": np.full((21, 2, 2), np.nan, np.float32)}, "finite"),
    ],
    ids=["size", "dtype", "classes", "nan"],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        dataclasses.replace(GOOD, **changes)


def test_a_result_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        GOOD.class_map[0, 0] = 1
    assert GOOD.image_hw == (4, 6)
