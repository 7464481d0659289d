import base64
import io
import zipfile
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import PIL.Image
import pytest

from demo import inference
from demo.classes import PALETTE
from demo.registry import Registry
from demo.ui import handlers
from demo.ui.handlers import on_api_segment, on_compare, on_files, on_files_made, on_segment
from tests.conftest import ColourEngine


@pytest.fixture(autouse=True)
def fake_engine(registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(inference, "default_registry", lambda: registry)
    monkeypatch.setattr(handlers, "default_registry", lambda: registry)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))


@pytest.fixture
def photo(tmp_path: Path) -> dict[str, Any]:
    truth = np.zeros((60, 80), np.uint8)
    truth[:, 40:] = 15
    PIL.Image.fromarray(PALETTE[truth]).save(tmp_path / "photo.png")
    return {"path": str(tmp_path / "photo.png"), "url": None}


def test_without_a_choice_the_largest_variant_is_used(
    photo: dict[str, Any], engine: ColourEngine
) -> None:
    viewer, status = on_segment(photo, None, "whole")
    assert "MobileViT-S took" in status
    assert viewer["areas"] == [[0, 2400], [15, 2400]] and {0, 15} <= set(viewer["winners"])
    assert (viewer["width"], viewer["height"]) == (80, 60)
    assert viewer["description"] == "Your image with person marked"
    assert engine.calls == 1


def test_an_unexpected_failure_is_a_sentence_too(
    photo: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise MemoryError("secret detail")

    monkeypatch.setattr(handlers, "segment", fail)
    *_, status = on_segment(photo, "s", "whole")
    assert 'role="alert"' in status and "secret" not in status
    with pytest.raises(gr.Error, match="Something failed on the server"):
        on_api_segment(photo, "s", "whole")
    assert "secret detail" in caplog.text


def test_results_lie_in_the_folder_that_is_emptied(photo: dict[str, Any], tmp_path: Path) -> None:
    overlay, class_map, _ = on_api_segment(photo, "s", "whole")
    for file in (overlay, class_map):
        assert (tmp_path / "gradio") in Path(file).parents


def test_large_pictures_are_shown_smaller_and_measured_whole(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (5000, 100), tuple(PALETTE[15].tolist())).save(tmp_path / "wide.png")
    viewer, _ = on_segment({"path": str(tmp_path / "wide.png")}, "s", "whole")
    assert viewer["areas"] == [[15, 500_000]]
    assert (viewer["width"], viewer["height"]) == (5000, 100)
    content = base64.b64decode(viewer["photo"].partition(",")[2])
    assert PIL.Image.open(io.BytesIO(content)).size == (2048, 41)


def test_files_are_one_archive_and_each_alone(photo: dict[str, Any]) -> None:
    made = on_files(photo, None, "whole")
    names = [Path(file).name for file in made[1]]
    assert names[0] == "segmentation.zip"
    assert {"classes.png", "class-person.png", "cutout.png", "coco.json"} <= set(names)
    assert on_files_made(made, photo, None, "whole") == made[1]
    assert on_files_made(made, photo, None, "crop") is None
    assert on_files_made(made, {"path": "another.jpg"}, None, "whole") is None
    with zipfile.ZipFile(made[1][0]) as archive:
        assert "SegmentationClass/photo.png" in archive.namelist()
        assert archive.read("ImageSets/Segmentation/default.txt") == b"photo\n"
    with pytest.raises(gr.Error, match="Choose one first"):
        on_files(None, None, "whole")


def test_the_variants_come_in_one_by_one(photo: dict[str, Any]) -> None:
    stages = list(on_compare(photo, "whole"))
    assert [len(stage["results"]) for stage in stages] == [1, 2, 3]
    assert stages[0]["pending"] == "MobileViT-XS and MobileViT-S" and not stages[2]["pending"]
    last = stages[2]
    assert [result["key"] for result in last["results"]] == ["xxs", "xs", "s"]
    assert all(result.get("areas") == [[0, 2400], [15, 2400]] for result in last["results"])
    assert len(last["agreement"]) == 4
    assert all(each["share"] == 1.0 for each in last["agreement"])
