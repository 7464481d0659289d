"""Our way from an image to a class map, and what all ways are given."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from demo.image import Image, read_image
from demo.inference import segment
from demo.registry import open_registry
from demo.variants import get_variant
from demo.weights import BUNDLED_FOLDER

Segmenter = Callable[[Image], NDArray[np.integer[Any]]]
"""H×W×3 uint8 RGB -> H×W class ids."""

_PHOTOGRAPH = Path(__file__).parent.parent / "assets" / "examples" / "astronaut.jpg"


def make_photograph(image_hw: tuple[int, int]) -> Image:
    """The astronaut, scaled to a size."""
    height, width = image_hw
    return read_image(PIL.Image.open(_PHOTOGRAPH).convert("RGB").resize((width, height)))


@cache
def checkpoint_of(key: str) -> Path:
    """The bundled checkpoint of a variant, or one with random weights that use all classes."""
    bundled = BUNDLED_FOLDER / key
    if (bundled / "model.safetensors").is_file():
        return bundled
    made = Path(tempfile.gettempdir()) / f"random-mobilevit-{key}"
    if not (made / "preprocessor_config.json").is_file():
        # imported here: it needs PyTorch, which our own way does not
        from benchmarks.checkpoints import save_random  # noqa: PLC0415

        save_random(get_variant(key), made)
    return made


def our_path(key: str) -> Segmenter:
    """`segment`, as the page calls it."""
    registry = open_registry(checkpoint_of(key))
    return lambda image: segment(image, key, registry=registry).class_map
