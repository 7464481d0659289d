"""The teacher: a DeepLabV3 with a free licence, run by TFLite; only making maps needs it."""

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE, STRIDE, CELLS = 513, 16, 33
CLASSES = 21
_LOGITS_TENSOR = 182


class Depth(NamedTuple):
    """A tensor of the teacher's graph and how many of its main directions are stored."""

    tensor: int
    stored: int


DEPTHS = (Depth(97, 16), Depth(137, 32), Depth(164, 48), Depth(180, 64))
"""Of stride 8, then 16, from the backbone to the output of the pyramid."""


class Teacher:
    """The TFLite network, run on one core."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import (  # noqa: PLC0415
            Interpreter,
        )

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # inner tensors are meant to be read
            self._network = Interpreter(
                str(path), num_threads=1, experimental_preserve_all_tensors=True
            )
        self._network.allocate_tensors()
        self._input = self._network.get_input_details()[0]["index"]
        self._scales = {
            tensor["index"]: tensor["quantization"] for tensor in self._network.get_tensor_details()
        }

    def look(self, pixels: NDArray[np.uint8], *, twice: bool) -> list[NDArray[np.float32]]:
        """Logits (33, 33, 21) and the features of each depth (33, 33, C).

        Args:
            pixels: H×W×3 uint8 RGB.
            twice: look at the mirror image as well, and return the means.
        """
        square = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        there = self._run(square)
        if not twice:
            return there
        mirrored = self._run(square[:, ::-1])
        return [
            np.float32(0.5) * (one + other[:, ::-1])
            for one, other in zip(there, mirrored, strict=True)
        ]

    def _run(self, square: NDArray[Any]) -> list[NDArray[np.float32]]:
        self._network.set_tensor(self._input, np.ascontiguousarray(square[None]))
        self._network.invoke()
        return [self._read(tensor) for tensor in (_LOGITS_TENSOR, *(d.tensor for d in DEPTHS))]

    def _read(self, tensor: int) -> NDArray[np.float32]:
        scale, zero = self._scales[tensor]
        values = self._network.get_tensor(tensor)[0]
        step = 2 if values.shape[0] > CELLS else 1  # every other cell lies on a cell of stride 16
        cells = values[::step, ::step].astype(np.float32)
        return np.asarray((cells - zero) * scale, np.float32)
