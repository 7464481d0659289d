"""A folder in transformers' layout: which files it holds."""

from pathlib import Path

from demo.errors import WeightsUnavailable

CONFIG_FILE = "config.json"
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
"""In the order of preference; the Hub's main holds only the second for Apple's checkpoints."""


def find_weights(folder: Path) -> Path | None:
    """The preferred file of weights in a folder, or None."""
    return next((folder / name for name in WEIGHT_FILES if (folder / name).is_file()), None)


def read_files(folder: Path) -> tuple[bytes, bytes]:
    """The config and the weights of a checkpoint.

    Raises:
        WeightsUnavailable: if either is missing or cannot be read.
    """
    weights = find_weights(folder)
    try:
        if weights is not None:
            return (folder / CONFIG_FILE).read_bytes(), weights.read_bytes()
    except OSError:
        pass
    raise WeightsUnavailable(f"{folder.parent.name}/{folder.name} lacks its config or its weights")
