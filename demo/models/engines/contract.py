"""What every engine does."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

on_wait: ContextVar[Callable[[str], None]] = ContextVar("on_wait")
"""Is told, by an engine that must wait for other machines, what it waits for.

It may be called from another thread, in a copy of the context in which it was set.
"""


class Network(Protocol):
    """A network, as a function from pixel values to logits."""

    def __call__(self, pixel_values: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Run the network.

        Args:
            pixel_values: (1, 3, h, w) float32 BGR in [0, 1]; h and w are multiples of 32.

        Returns:
            (1, 21, h/16, w/16) float32 logits.
        """


class Engine(Network, Protocol):
    """One loaded network; several threads may call it at once."""

    @property
    def precision(self) -> str:
        """What it computes in: ``f32`` or ``bf16``."""
