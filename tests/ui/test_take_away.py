import zipfile
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from demo.ui.take_away import on_files, on_files_made


def test_files_come_as_a_zip_and_one_by_one(photo: dict[str, Any]) -> None:
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
