"""What cameras do to colours: light, casts, blur, noise, compression."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

_NOISE: NDArray[np.int16] = np.random.default_rng(0).normal(0, 64, 1 << 21).astype(np.int16)
"""Normal noise of standard deviation 64, drawn once: to draw it costs more than a resize."""


def change_colours(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Exposure, contrast, gamma and colour cast, in one look-up; now and then low light."""
    level = np.linspace(0, 1, 256)[:, None] ** np.exp(rng.uniform(-0.4, 0.4))
    gain = rng.uniform(0.7, 1.3) * rng.uniform(0.88, 1.12, 3)
    if rng.random() < 0.1:
        gain = gain * rng.uniform(0.15, 0.5)
    table = (level - 0.5) * rng.uniform(0.7, 1.3) + 0.5 + rng.uniform(-0.12, 0.12)
    lookup = np.clip(table * gain * 255, 0, 255).astype(np.uint8).reshape(256, 1, 3)
    return np.asarray(cv2.LUT(pixels, lookup), np.uint8)


def fade(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Mix with grey, sometimes wholly."""
    grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    share = 1.0 if rng.random() < 0.35 else float(rng.uniform(-0.4, 0.8))
    return np.asarray(cv2.addWeighted(grey, share, pixels, 1 - share, 0), np.uint8)


def soften(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Blur as by poor focus, up to a 90th of the side."""
    sigma = float(rng.uniform(0.4, max(pixels.shape[0] / 90, 0.6)))
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def sharpen(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Unsharp mask, as phones do; also lends enlarged faces some edges."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.8, 2.5)))
    amount = float(rng.uniform(0.3, 1.5))
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, smooth, -amount, 0), np.uint8)


def add_noise(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Sensor noise of standard deviation 2 to 14 grey levels."""
    start = int(rng.integers(_NOISE.size - pixels.size))
    noise = _NOISE[start : start + pixels.size].reshape(pixels.shape)
    strength = int(rng.uniform(2, 14) * 4)
    noisy = pixels.astype(np.int16) + ((noise * strength) >> 8)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def compress(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """JPEG of quality 20 to 85, there and back."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 86))]
    _, encoded = cv2.imencode(".jpg", pixels, quality)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


_STEPS = (
    (sharpen, 0.15),
    (change_colours, 0.85),
    (fade, 0.35),
    (soften, 0.15),
    (add_noise, 0.25),
    (compress, 0.2),
)


def vary_colours(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Apply each change with its own probability; side×side×3 uint8 in and out."""
    for change, probability in _STEPS:
        if rng.random() < probability:
            pixels = change(pixels, rng)
    return pixels
