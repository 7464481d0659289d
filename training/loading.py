"""Batches of scenes, drawn ahead by other processes where a GPU would have to wait for them.

PyTorch's DataLoader would do, but for a handler of SIGCHLD that it leaves in the process.
"""

import os
import pickle
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
from torch import Tensor

from training.scenes import Sources, draw_batch

Batch = tuple[Tensor, Tensor]
"""What `training.scenes.draw_batch` returns."""


class BatchKey(NamedTuple):
    """All that a batch depends on beside its sources."""

    side: int
    size: int
    seed: tuple[int, ...]


def load_batches(sources: Sources, keys: Iterable[BatchKey], processes: int) -> Iterator[Batch]:
    """Draw one batch for each key, in the order of the keys.

    Args:
        sources: what scenes are made from.
        keys: read a few batches ahead of need if there are processes, else just in time.
        processes: how many draw; 0 to draw in this one.
    """
    if not processes:
        yield from (draw_batch(sources, *key) for key in keys)
        return
    # a fork would inherit locks of OpenCV's threads that nobody gives back
    context = get_context("spawn")
    with TemporaryDirectory() as folder:
        # through a pipe one process after the other would get them, each when it is ready
        file = Path(folder) / "sources.pickle"
        file.write_bytes(pickle.dumps(sources))
        with ProcessPoolExecutor(processes, context, _receive, (file,)) as pool:
            ahead: deque[Future[Batch]] = deque()
            for key in keys:
                ahead.append(pool.submit(_draw, key))
                if len(ahead) > 2 * processes:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()


_received: list[Sources] = []
"""What this process draws from, if it was started to draw."""


def _receive(file: Path) -> None:
    cv2.setNumThreads(1)
    os.nice(10)  # the process that feeds the GPU comes first
    _received.append(pickle.loads(file.read_bytes()))


def _draw(key: BatchKey) -> Batch:
    return draw_batch(_received[0], *key)
