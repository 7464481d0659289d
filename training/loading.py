"""Batches in order, drawn ahead by other processes where a GPU would have to wait for them.

PyTorch's DataLoader would do, but it leaves a handler of SIGCHLD in the process. That handler
raises errors in whatever runs when a child ends.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import cv2

from training.scenes import Batch, Sources, draw_batch


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
    # A fork would inherit locks of OpenCV's threads that nobody gives back.
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, _receive, (sources,)) as pool:
        ahead: deque[Future[Batch]] = deque()
        for key in keys:
            ahead.append(pool.submit(_draw, key))
            if len(ahead) > 2 * processes:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


_received: list[Sources] = []
"""What this process draws from, if it was started to draw."""


def _receive(sources: Sources) -> None:
    cv2.setNumThreads(1)
    os.nice(10)  # the process that feeds the GPU comes first
    _received.append(sources)


def _draw(key: BatchKey) -> Batch:
    return draw_batch(_received[0], *key)
