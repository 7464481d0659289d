"""Several training processes that keep step: one per core without a GPU, one with.

One thread in each of two processes trains 1.2 times as fast as two threads in one, and far
more steadily when the machine has other work (measured).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import cv2
import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn

from demo.cpus import usable_cpus
from training.schedule import BATCH

_KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(100 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
"""What glibc reads as a process starts: keep freed memory, in huge pages. Otherwise each large
tensor is mapped and cleared again, and a third of the time is spent in the kernel (measured)."""


@dataclass(frozen=True)
class Worker:
    """One of ``count`` processes, number ``rank``, computing on ``device``."""

    rank: int
    count: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """True for the one worker that writes files and the log."""
        return self.rank == 0

    @property
    def loaders(self) -> int:
        """How many processes draw scenes for this worker; none where it would wait for itself."""
        return usable_cpus() if self.device.type == "cuda" else 0

    def add_up(self, numbers: Tensor) -> Tensor:
        """Sum a tensor over all workers, in place."""
        if self.count > 1:
            distributed.all_reduce(numbers)
        return numbers


def run_workers(work: Callable[..., None], *arguments: object) -> None:
    """Call work(worker, *arguments) in every process and return when all are done."""
    # with a scene or none each, batch-norm would have nothing to average
    most = min(BATCH.values()) // 2
    count = 1 if torch.cuda.is_available() else min(usable_cpus(), most)
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", str(29500 + os.getpid() % 1000))
    if count == 1:
        _start(0, count, work, arguments)
    else:
        for name, value in _KEEP_MEMORY.items():
            os.environ.setdefault(name, value)
        spawn(_start, (count, work, arguments), nprocs=count)  # type: ignore[no-untyped-call]


def _start(rank: int, count: int, work: Callable[..., None], arguments: tuple[object, ...]) -> None:
    cv2.setNumThreads(1)
    torch.set_flush_denormal(True)
    torch.backends.cudnn.benchmark = True
    if count > 1:
        torch.set_num_threads(1)
        wait = timedelta(days=2)  # a run may be paused
        distributed.init_process_group("gloo", rank=rank, world_size=count, timeout=wait)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    work(Worker(rank, count, device), *arguments)
    if count > 1:
        distributed.destroy_process_group()
