import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from demo.areas import class_areas, count_not_seen
from demo.classes import CLASS_NAMES, NOT_SEEN
from tests.support.models import make_segmentation

class_maps = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    elements=st.sampled_from([*range(21), NOT_SEEN]),
).filter(lambda class_map: (class_map != NOT_SEEN).any())


@given(class_maps)
def test_areas_add_up_to_the_image(class_map: np.ndarray) -> None:
    segmentation = make_segmentation(class_map)
    areas = class_areas(segmentation)
    assert sum(a.pixels for a in areas) + count_not_seen(segmentation) == class_map.size
    assert sum(a.fraction for a in areas) == pytest.approx(1)
    assert sum(a.foreground_fraction or 0 for a in areas) == pytest.approx(
        1 if any(a.class_id for a in areas) else 0
    )
    assert [a.pixels for a in areas] == sorted((a.pixels for a in areas), reverse=True)
    for area in areas:
        assert area.pixels == (class_map == area.class_id).sum()
        assert area.class_name == CLASS_NAMES[area.class_id]


def test_background_has_no_foreground_fraction() -> None:
    (area,) = class_areas(make_segmentation(np.zeros((3, 5), np.uint8)))
    assert (area.class_name, area.pixels, area.foreground_fraction) == ("background", 15, None)
