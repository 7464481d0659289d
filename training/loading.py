"""Batches of scenes, drawn ahead by other processes where a GPU would have to wait for them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.scenes import Sources, draw_batch


class BatchKey(NamedTuple):
    """All that a batch depends on beside its sources."""

    side: int
    size: int
    seed: tuple[int, ...]


class _Batches(Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def __getitem__(self, key: BatchKey) -> tuple[Tensor, Tensor]:
        return draw_batch(self._sources, key.side, key.size, key.seed)


def _use_one_core(_: int) -> None:
    cv2.setNumThreads(1)


def load_batches(
    sources: Sources, keys: Iterable[BatchKey], processes: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw one batch for each key, in the order of the keys; see `training.scenes.draw_batch`.

    Args:
        sources: what scenes are made from.
        keys: read a few batches ahead of need if there are processes, else just in time.
        processes: how many draw; 0 to draw in this one.
    """
    return iter(
        DataLoader(
            _Batches(sources),
            sampler=keys,
            batch_size=None,
            num_workers=processes,
            # a fork would inherit locks of OpenCV's threads that nobody gives back
            multiprocessing_context="spawn" if processes else None,
            worker_init_fn=_use_one_core,
        )
    )
