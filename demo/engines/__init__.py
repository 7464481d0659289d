"""Runtimes: pixel values in, logits out."""

import sys
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# OpenVINO reports each conversion to its makers, from a forked copy of the process that can hang
# for ever and hold the app's port; where this package is missing, it reports nothing
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]


class Engine(Protocol):
    """One loaded network; safe to call from several threads."""

    @property
    def name(self) -> str:
        """The runtime, such as ``torch``."""

    def __call__(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network.

        Args:
            pixel_values: (1, 3, h, w) float32 BGR in [0, 1]; h and w multiples of 32.

        Returns:
            (1, 21, h/16, w/16) float32 logits.
        """
