import re
import zipfile
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gradio as gr
import pytest

from demo.ui.download import name_archive, on_files, on_files_made, render_notes


def test_files_come_as_a_zip_and_one_by_one(photo: dict[str, Any]) -> None:
    made = on_files(photo, None, "whole")
    names = [Path(file).name for file in made[1]]
    assert names[0] == "photo-segmentation.zip"
    assert {"classes.png", "class-person.png", "cutout.png", "coco.json"} <= set(names)
    listed = on_files_made(made, photo, None, "whole")
    assert [unquote(path) for path in re.findall('href="gradio_api/file=(.*?)"', listed)] == made[1]
    assert on_files_made(made, photo, None, "crop") == render_notes()
    assert on_files_made(made, {"path": "another.jpg"}, None, "whole") == render_notes()
    assert "<a " not in render_notes()
    with zipfile.ZipFile(made[1][0]) as archive:
        assert "SegmentationClass/photo.png" in archive.namelist()
        assert archive.read("ImageSets/Segmentation/default.txt") == b"photo\n"
        assert "README.txt" in archive.namelist()
    with pytest.raises(gr.Error, match="Choose one first"):
        on_files(None, None, "whole")


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("Zürich 東京.jpg", "Zürich 東京-segmentation.zip"),
        ("../../etc/passwd", "passwd-segmentation.zip"),
        ("a\0b\nc.jpg", "ab c-segmentation.zip"),
        ("..", "image-segmentation.zip"),
        ("", "image-segmentation.zip"),
        ("x" * 300, "x" * 160 + "-segmentation.zip"),
        ("東" * 300, "東" * 53 + "-segmentation.zip"),
    ],
)
def test_the_zip_has_a_name_that_a_file_system_takes(
    file_name: str, expected: str, tmp_path: Path
) -> None:
    assert name_archive(file_name) == expected
    (tmp_path / expected).write_bytes(b"")


def test_the_list_shows_an_image_s_name_as_plain_text(photo: dict[str, Any]) -> None:
    name = '"><b>{{7}}${7}&.png'
    made = on_files({**photo, "orig_name": name}, None, "whole")
    listed = on_files_made(made, {**photo, "orig_name": name}, None, "whole")
    assert "<b>" not in listed and "{{" not in listed and "${" not in listed
    shown = re.findall('download="(.*?)"', listed)[0]
    assert unescape(shown) == Path(made[1][0]).name
