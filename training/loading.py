"""Batches in order, drawn ahead by other processes where a GPU would have to wait for them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from training.scenes import Batch, Sources, draw_batch


class BatchKey(NamedTuple):
    """All that a batch depends on beside its sources."""

    side: int
    size: int
    seed: tuple[int, ...]


class _Batches(Dataset[Batch]):
    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def __getitem__(self, key: BatchKey) -> Batch:
        return draw_batch(self._sources, *key)


def load_batches(sources: Sources, keys: Iterable[BatchKey], processes: int) -> Iterator[Batch]:
    """Draw one batch for each key, in the order of the keys.

    Args:
        sources: what scenes are made from.
        keys: read a few batches ahead of need if there are processes, else just in time.
        processes: how many draw; 0 to draw in this one.
    """
    return iter(
        DataLoader(
            _Batches(sources),
            batch_size=None,
            sampler=keys,
            num_workers=processes,
            pin_memory=torch.cuda.is_available(),
            # a fork would inherit locks of OpenCV's threads that nobody gives back
            multiprocessing_context="spawn" if processes else None,
            worker_init_fn=_start,
        )
    )


def _start(_number: int) -> None:
    cv2.setNumThreads(1)
