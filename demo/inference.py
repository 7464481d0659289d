"""The one shared inference path.

Stills, live view, video, the API, the command line, evaluation and training all call it.
"""

import time

import numpy as np
from numpy.typing import NDArray

from demo.class_map import classify_pixels
from demo.framing import (
    DEFAULT_FRAMING,
    DEFAULT_SIDE,
    Framing,
    frame_pixels,
    plan_framing,
    to_pixel_values,
)
from demo.image import Image
from demo.metrics import FORWARD_PASSES, SEGMENT_SECONDS
from demo.models.engines.contract import Network
from demo.models.model import Model
from demo.segmentation import Segmentation


def segment(
    image: Image,
    model: Model,
    *,
    framing: str = DEFAULT_FRAMING,
    side: int = DEFAULT_SIDE,
    notes: tuple[str, ...] = (),
) -> Segmentation:
    """Classify every pixel of an image.

    Args:
        image: H×W×3 uint8 RGB, as `demo.image.read_image` gives it.
        model: a loaded variant, as `demo.models.registry.Registry.get` gives it.
        framing: ``whole``, ``aspect``, ``crop`` or ``auto``; see `demo.framing.FRAMINGS`.
        side: pixels of the network's input, a multiple of 32 from 256 to 1024.
        notes: what was ignored when the image was read; the result carries them.

    Raises:
        InvalidOption: if framing or side is not one of these.
    """
    plan = plan_framing((image.shape[0], image.shape[1]), framing, side)
    started = time.perf_counter()
    logits, class_map = classify(model.engine, to_pixel_values(frame_pixels(image, plan)), plan)
    elapsed_s = time.perf_counter() - started
    FORWARD_PASSES.labels(model.variant.key).inc()
    SEGMENT_SECONDS.labels(model.variant.key).observe(elapsed_s)
    return Segmentation(
        class_map=class_map,
        logits=logits,
        framing=plan,
        variant=model.variant,
        weights=model.weights,
        elapsed_ms=elapsed_s * 1000,
        precision=model.engine.precision,
        notes=notes,
        classes=model.classes,
    )


def classify(
    network: Network, pixel_values: NDArray[np.float32], framing: Framing
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Run a network on framed pixels and give each pixel of the original image its class.

    Args:
        network: usually a model's engine.
        pixel_values: (1, 3, h, w) float32 BGR in [0, 1].
        framing: where these pixels lie in the original image.

    Returns:
        (C, h/16, w/16) float32 logits of the C classes, and the H×W uint8 class map of the
        original image, 255 where the network saw nothing.
    """
    logits = network(pixel_values)[0]
    return logits, classify_pixels(logits, framing)
