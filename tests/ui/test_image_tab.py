import base64
import io
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from demo.classes import CLASS_NAMES, PALETTE
from demo.models.checkpoint import WeightsSource
from demo.ui.image_tab import _describe_known, on_segment
from tests.support.models import ColourEngine


def test_without_a_choice_the_largest_variant_is_used(
    photo: dict[str, Any], engine: ColourEngine
) -> None:
    _, viewer, _, status = on_segment(photo, None, "whole")
    assert "MobileViT-S took" in status
    assert viewer["areas"] == [[0, 2400], [15, 2400]] and {0, 15} <= set(viewer["winners"])
    assert (viewer["width"], viewer["height"]) == (80, 60)
    assert viewer["description"] == "Your image with person marked"
    assert engine.calls == 1


def test_a_large_image_is_shown_smaller_and_measured_at_full_size(tmp_path: Path) -> None:
    file = tmp_path / "gradio" / "wide.png"
    file.parent.mkdir()
    PIL.Image.new("RGB", (5000, 100), tuple(PALETTE[15].tolist())).save(file)
    _, viewer, _, status = on_segment({"path": str(file)}, "s", "auto")
    assert "longer than 2:1" in status
    assert viewer["areas"] == [[15, 500_000]]
    assert (viewer["width"], viewer["height"]) == (5000, 100)
    content = base64.b64decode(viewer["photo"].partition(",")[2])
    assert PIL.Image.open(io.BytesIO(content)).size == (2048, 41)


@pytest.mark.parametrize(
    ("known", "classes", "says"),
    [
        (CLASS_NAMES, CLASS_NAMES, "It knows the 20 classes of PASCAL VOC: aeroplane, bicycle,"),
        (CLASS_NAMES[:-1], CLASS_NAMES, "It knows 19 of 20 classes: aeroplane, bicycle,"),
        (("background", "person"), CLASS_NAMES, "This offline model knows people only."),
        (("road", "car"), ("road", "car"), "It knows 2 classes: road, car."),
        (("background", "car"), ("background", "car"), "It knows 1 class: car."),
    ],
    ids=["VOC", "all but one", "people", "own", "one"],
)
def test_what_the_weights_know_is_said(
    known: tuple[str, ...], classes: tuple[str, ...], says: str
) -> None:
    weights = WeightsSource("bundled", "b", "r", known, all_names=classes)
    assert _describe_known(weights).startswith(says)
