"""HDR to SDR: HLG and PQ frames become what a display of standard range shows.

Sources: ITU-R BT.2100-2 (transfer functions of HLG and PQ), BT.2408-7 (reference white, 203 cd/m²),
BT.2087-0 (BT.2020 to BT.709).
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

HLG, PQ = 18, 16
"""FFmpeg's numbers of the transfer functions."""

_BT2020, _P3_D65 = 9, 12
"""FFmpeg's numbers of the primaries that are wider than BT.709's."""

_WHITE_NITS, _HLG_PEAK_NITS = 203.0, 1000.0
_PEAK = _HLG_PEAK_NITS / _WHITE_NITS
"""Brightest light that is told apart, relative to reference white."""

_KNEE = 0.85
"""Light up to here keeps its brightness; what is brighter is compressed into the rest."""

_TO_BT709 = {
    _BT2020: np.array(
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
        np.float32,
    ),
    _P3_D65: np.array(
        [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]], np.float32
    ),
}
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
_GAMMA = 2.2
"""The gamma of computer displays, on which browsers show SDR video."""

_STEPS = 65536


def is_hdr(transfer: int) -> bool:
    """Whether a transfer function, by FFmpeg's number, is one of HDR."""
    return transfer in (HLG, PQ)


def to_sdr(rgb: NDArray[np.uint16], transfer: int, primaries: int) -> NDArray[np.uint8]:
    """Map the tones of an HDR frame to SDR.

    Args:
        rgb: H×W×3 uint16 R'G'B' of full range.
        transfer: `HLG` or `PQ`.
        primaries: FFmpeg's number; other primaries than BT.2020 and P3 count as BT.709.

    Returns:
        H×W×3 uint8 R'G'B' of BT.709, full range; reference white comes out as 246.
    """
    light = _light_table(transfer)[rgb]  # relative to reference white
    if transfer == HLG:
        # the display's own rendering, with the gamma of 1.2 of a display of 1000 cd/m²
        luminance = (light @ _LUMINANCE) * np.float32(1 / _PEAK)
        light *= np.power(luminance, np.float32(0.2))[:, :, None]
    if primaries in _TO_BT709:
        light = np.asarray(cv2.transform(light, _TO_BT709[primaries]), np.float32)
    # the square root gives dark tones as many steps as they need
    steps = np.sqrt(np.clip(light, 0, _PEAK) * np.float32(1 / _PEAK)) * np.float32(_STEPS - 1)
    sdr: NDArray[np.uint8] = _sdr_table()[steps.astype(np.uint16)]
    return sdr


@cache
def _light_table(transfer: int) -> NDArray[np.float32]:
    """(65536,) float32: signal -> light relative to reference white."""
    decode = {HLG: _decode_hlg, PQ: _decode_pq}[transfer]
    return decode(np.arange(_STEPS) / (_STEPS - 1)).astype(np.float32)


def _decode_hlg(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return scene * _PEAK


def _decode_pq(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = signal ** (1 / m2)
    nits = 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return nits / _WHITE_NITS


@cache
def _sdr_table() -> NDArray[np.uint8]:
    """(65536,) uint8: the square root of light over the peak -> SDR signal."""
    light = (np.arange(_STEPS) / (_STEPS - 1)) ** 2 * _PEAK
    signal = np.clip(_compress(light), 0, 1) ** (1 / _GAMMA)
    return np.round(255 * signal).astype(np.uint8)


def _compress(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bend light above the knee so that the peak comes out as 1 (extended Reinhard)."""
    over = np.maximum(light - _KNEE, 0) / (1 - _KNEE)
    most = (_PEAK - _KNEE) / (1 - _KNEE)
    bent = _KNEE + (1 - _KNEE) * over * (1 + over / most**2) / (1 + over)
    return np.where(light <= _KNEE, light, bent)
