from pathlib import Path
from typing import Any

from demo.ui.api import on_api_segment


def test_results_are_written_to_the_folder_that_is_tidied(
    photo: dict[str, Any], tmp_path: Path
) -> None:
    overlay, class_map, _ = on_api_segment(photo, "s", "whole")
    for file in (overlay, class_map):
        assert (tmp_path / "gradio") in Path(file).parents
