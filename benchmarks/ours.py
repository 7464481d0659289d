"""Our path from an image to a class map, and the image and checkpoints that all paths share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from demo.image import Image, read_image
from demo.inference import segment
from demo.models.loading import load_folder
from demo.models.model import Model
from demo.models.sources import BUNDLED_FOLDER
from demo.ui.viewer_value import viewer_value
from demo.variants import get_variant

Segmenter = Callable[[Image], NDArray[np.integer[Any]]]
"""H×W×3 uint8 RGB -> H×W class ids."""

_PHOTOGRAPH = Path(__file__).parent.parent / "assets" / "examples" / "astronaut.jpg"


def make_photograph(image_hw: tuple[int, int]) -> Image:
    """Scale the photograph of the astronaut to a size."""
    height, width = image_hw
    return read_image(PIL.Image.open(_PHOTOGRAPH).convert("RGB").resize((width, height)))


def checkpoint_of(key: str) -> Path:
    """Give the folder of a variant's bundled checkpoint."""
    return BUNDLED_FOLDER / key


def load_bundled(key: str) -> Model:
    """Load the bundled checkpoint of a variant."""
    return load_folder(checkpoint_of(key), get_variant(key))


def our_path(key: str) -> Segmenter:
    """Build our path: `segment`, as the page calls it."""
    model = load_bundled(key)
    return lambda image: segment(image, model).class_map


def page_path(key: str) -> Segmenter:
    """Build the page's path: `segment`, and all that the page is sent of the result."""
    model = load_bundled(key)

    def run(image: Image) -> NDArray[np.uint8]:
        segmentation = segment(image, model)
        viewer_value(image, segmentation)
        return segmentation.class_map

    return run
