"""A fake engine for the page's handlers, and a photo as Gradio sends it."""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from demo.classes import PALETTE
from demo.models.registry import Registry
from demo.ui import image_tab, requests


@pytest.fixture(autouse=True)
def fake_engine(registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(requests, "default_registry", lambda: registry)
    monkeypatch.setattr(image_tab, "default_registry", lambda: registry)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))


@pytest.fixture
def photo(tmp_path: Path) -> dict[str, Any]:
    truth = np.zeros((60, 80), np.uint8)
    truth[:, 40:] = 15
    file = tmp_path / "gradio" / "photo.png"
    file.parent.mkdir()
    PIL.Image.fromarray(PALETTE[truth]).save(file)
    return {"path": str(file), "url": None}
