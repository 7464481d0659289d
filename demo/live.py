"""One live session: a frame in, the logits of that frame out; it remembers only the last one."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.class_map import classify_pixels, winning_classes
from demo.errors import InvalidImage, InvalidOption
from demo.framing import bgr_to_pixel_values, plan_framing
from demo.inference import classify
from demo.models.engines.contract import Engine

SIDES = (256, 384, 512)
"""Sides of the square frames that a session takes, in pixels."""

MAX_FRAME_BYTES = 512 * 1024
MAX_SMOOTHING = 0.95

_CUT = 40.0
"""Mean difference of two frames' thumbnails, in [0, 255], from which on the scene is another."""

_START_OF_SCAN = 0xDA
_BASELINE = (0xC0, 0xC1)
_TABLES = (0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0))
"""Markers of tables, of the restart interval, of comments and of application segments."""

_EXPECTED = f"Expected a square baseline JPEG of side {', '.join(map(str, SIDES))}"


@dataclass(frozen=True, eq=False)
class LiveResult:
    """What the network said about one frame.

    Attributes:
        class_ids: the classes that can win somewhere, ascending.
        logits: (len(class_ids), h, w) float32, smoothed.
        areas: class id -> fraction of the frame in (0, 1], largest first.
        flicker: fraction of pixels whose class changed since the last result, before and after
            smoothing; None for the first result of a scene or a size.
    """

    class_ids: tuple[int, ...]
    logits: NDArray[np.float32]
    areas: dict[int, float]
    flicker: tuple[float, float] | None


class LiveSession:
    """The frames of one camera, one after the other.

    Attributes:
        smoothing: weight of the past in the running mean of the logits, in [0, 0.95].
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.smoothing = 0.0
        self._thumbnail: NDArray[np.float32] | None = None
        self._mean: NDArray[np.float32] | None = None
        self._maps: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None

    def set_smoothing(self, smoothing: object) -> None:
        """Choose the weight of the past.

        Raises:
            InvalidOption: if it is not a number in [0, 0.95].
        """
        is_number = isinstance(smoothing, int | float) and not isinstance(smoothing, bool)
        if not is_number or not 0 <= smoothing <= MAX_SMOOTHING:  # type: ignore[operator]
            raise InvalidOption(f"Smoothing {smoothing!r} is out of range. Choose 0 to 0.95.")
        self.smoothing = float(smoothing)  # type: ignore[arg-type]

    def answer(self, jpeg: bytes) -> LiveResult:
        """Segment a frame.

        Args:
            jpeg: a square JPEG, as the network is to see it, one of `SIDES`.

        Raises:
            InvalidImage: if it is anything else.
        """
        bgr = decode_frame(jpeg)
        self._forget_other_scenes(bgr)
        plan = plan_framing((bgr.shape[0], bgr.shape[1]), "whole", bgr.shape[0])
        logits, unsmoothed = classify(self._engine, bgr_to_pixel_values(bgr), plan)
        smoothed = self._smooth(logits)
        class_map = unsmoothed if smoothed is logits else classify_pixels(smoothed, plan)
        flicker = None
        if self._maps is not None:
            changed = [
                float((now != before).mean())
                for now, before in zip((unsmoothed, class_map), self._maps, strict=True)
            ]
            flicker = (changed[0], changed[1])
        self._maps = (unsmoothed, class_map)
        class_ids = winning_classes(smoothed)
        return LiveResult(
            class_ids=tuple(class_ids.tolist()),
            logits=smoothed[class_ids],
            areas=_area_fractions(class_map),
            flicker=flicker,
        )

    def _forget_other_scenes(self, bgr: NDArray[np.uint8]) -> None:
        """Forget the past where the scene or the size has changed."""
        thumbnail = cv2.resize(bgr, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32)
        before, self._thumbnail = self._thumbnail, thumbnail
        is_cut = before is None or float(np.abs(thumbnail - before).mean()) > _CUT
        if is_cut or (self._maps is not None and self._maps[0].shape != bgr.shape[:2]):
            self._mean, self._maps = None, None

    def _smooth(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._mean is None or not self.smoothing:
            self._mean = logits
        else:
            self._mean = logits + np.float32(self.smoothing) * (self._mean - logits)
        return self._mean


def decode_frame(jpeg: bytes) -> NDArray[np.uint8]:
    """Read a frame as side×side×3 uint8 BGR.

    Raises:
        InvalidImage: if it is not a square JPEG of one of `SIDES`.
    """
    if len(jpeg) > MAX_FRAME_BYTES:
        raise InvalidImage(f"{_EXPECTED} of at most {MAX_FRAME_BYTES // 1024} kB.")
    side = _jpeg_side(jpeg)
    if side not in SIDES:
        raise InvalidImage(f"{_EXPECTED}.")
    bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None or bgr.shape != (side, side, 3):
        raise InvalidImage(f"{_EXPECTED}; this one is damaged.")
    return bgr.astype(np.uint8, copy=False)


def _jpeg_side(jpeg: bytes) -> int | None:
    """Read the side of a plain square JPEG from its header, before anything is decoded.

    Accept only what browsers write: baseline, in one scan or one for each component, with nothing
    between the segments of the header. A decoder might read anything else with another size than
    the one found here.
    """
    at = 2 if jpeg[:2] == b"\xff\xd8" else len(jpeg)
    side = None
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4])
        if marker == _START_OF_SCAN:
            return side if jpeg.count(b"\xff\xda") <= 3 else None
        if marker in _BASELINE:
            height = int.from_bytes(jpeg[at + 5 : at + 7])
            width = int.from_bytes(jpeg[at + 7 : at + 9])
            if side is not None or height != width:
                return None
            side = height
        elif marker not in _TABLES or length < 2:
            return None
        at += 2 + length
    return None


def _area_fractions(class_map: NDArray[np.uint8]) -> dict[int, float]:
    counts = np.bincount(class_map.ravel())
    found = sorted(np.flatnonzero(counts).tolist(), key=lambda class_id: -counts[class_id])
    return {class_id: float(counts[class_id] / class_map.size) for class_id in found}
