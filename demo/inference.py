"""The one shared inference function; stills, live, API, command line and evaluation call it."""

import time

from demo.class_map import classify_pixels
from demo.framing import (
    DEFAULT_FRAMING,
    DEFAULT_SIDE,
    frame_pixels,
    plan_framing,
    to_pixel_values,
)
from demo.image import Image
from demo.metrics import FORWARD_PASSES, SEGMENT_SECONDS
from demo.registry import DEFAULT_VARIANT, Registry, default_registry
from demo.segmentation import Segmentation
from demo.weights import OnProgress


def segment(
    image: Image,
    variant: str = DEFAULT_VARIANT,
    *,
    framing: str = DEFAULT_FRAMING,
    side: int = DEFAULT_SIDE,
    registry: Registry | None = None,
    on_progress: OnProgress | None = None,
) -> Segmentation:
    """Classify every pixel of an image.

    Args:
        image: H×W×3 uint8 RGB, as `demo.image.read_image` gives it.
        variant: ``xxs``, ``xs`` or ``s``.
        framing: ``whole``, ``aspect`` or ``crop``; see `demo.framing.FRAMINGS`.
        side: pixels of the network's input, a multiple of 32 from 256 to 1024.
        registry: where engines are kept; the process's own by default.
        on_progress: called with a fraction and a sentence while the variant loads.

    Raises:
        InvalidOption: if variant, framing or side is not one of these.
        WeightsUnavailable: if the variant has no weights here.
    """
    plan = plan_framing((image.shape[0], image.shape[1]), framing, side)
    loaded = (registry or default_registry()).get(variant, on_progress)
    started = time.perf_counter()
    logits = loaded.engine(to_pixel_values(frame_pixels(image, plan)))[0]  # (21, h/16, w/16)
    class_map = classify_pixels(logits, plan)
    elapsed_s = time.perf_counter() - started
    FORWARD_PASSES.labels(loaded.variant.key).inc()
    SEGMENT_SECONDS.labels(loaded.variant.key).observe(elapsed_s)
    return Segmentation(
        class_map=class_map,
        logits=logits,
        framing=plan,
        variant=loaded.variant,
        weights=loaded.weights,
        elapsed_ms=elapsed_s * 1000,
    )
