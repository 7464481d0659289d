"""The environment variables of this app, read in one place; Gradio and the Hub have their own."""

import os
from pathlib import Path

CHECKPOINTS_VARIABLE = "SEGMENTATION_CHECKPOINTS"
"""Folder with one folder per variant (``xxs``, ``xs``, ``s``) in transformers' layout."""


def local_checkpoints() -> Path | None:
    """The configured folder of checkpoints, or None."""
    value = os.environ.get(CHECKPOINTS_VARIABLE, "").strip()
    return Path(value) if value else None
