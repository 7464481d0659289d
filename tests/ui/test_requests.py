from typing import Any

import gradio as gr
import pytest

from demo.ui import image_tab, requests
from demo.ui.api import on_api_segment
from demo.ui.image_tab import on_segment


def test_an_unexpected_failure_gives_a_sentence_and_a_log_line(
    photo: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise MemoryError("secret detail")

    monkeypatch.setattr(image_tab, "segment", fail)
    monkeypatch.setattr(requests, "segment", fail)
    *_, status = on_segment(photo, "s", "whole")
    assert 'role="alert"' in status and "secret" not in status
    with pytest.raises(gr.Error, match="Something failed on the server"):
        on_api_segment(photo, "s", "whole")
    assert "secret detail" in caplog.text
