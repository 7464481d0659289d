import io

import numpy as np
import PIL.Image
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from demo.classes import NOT_SEEN, PALETTE
from demo.exports import areas_record, encode_class_map, encode_colours, encode_png
from demo.image import read_image
from tests.conftest import make_segmentation

sizes = st.tuples(st.integers(1, 30), st.integers(1, 30))
class_maps = hnp.arrays(np.uint8, sizes, elements=st.sampled_from([*range(21), NOT_SEEN]))


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))))
def test_png_is_lossless(image: np.ndarray) -> None:
    assert (read_image(encode_png(image)) == image).all()


@given(class_maps)
def test_class_map_reads_back(class_map: np.ndarray) -> None:
    picture = PIL.Image.open(io.BytesIO(encode_class_map(make_segmentation(class_map.copy()))))
    assert picture.mode == "P"
    assert (np.asarray(picture) == class_map).all()
    assert (np.asarray(picture.convert("RGB")) == PALETTE[class_map]).all()


@given(class_maps)
def test_colours_are_clear_where_there_is_background(class_map: np.ndarray) -> None:
    picture = PIL.Image.open(io.BytesIO(encode_colours(class_map))).convert("RGBA")
    rgba = np.asarray(picture)
    seen = class_map != NOT_SEEN
    assert ((rgba[..., 3] == 0) == (class_map == 0))[seen].all()
    assert set(map(tuple, rgba[~seen].tolist())) <= {(128, 128, 128, 255), (0, 0, 0, 0)}
    named = (class_map != 0) & seen
    assert (rgba[..., :3][named] == PALETTE[class_map[named]]).all()


def test_record_has_the_documented_keys() -> None:
    record = areas_record(make_segmentation(np.full((2, 3), 8, np.uint8)))
    assert record == {
        "variant": "s",
        "framing": "whole",
        "weights_source": "local",
        "revision": "sha256:0",
        "image_hw": [2, 3],
        "elapsed_ms": 1.0,
        "areas": [{"class_id": 8, "class_name": "cat", "pixels": 6, "fraction": 1.0}],
    }
