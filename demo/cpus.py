"""How many CPUs this process may use, and whether they compute in bfloat16."""

import math
import os
from pathlib import Path

from demo.settings import promised_cpus

_CGROUP = Path("/sys/fs/cgroup")
_CPUINFO = Path("/proc/cpuinfo")
_BF16_FLAGS = {"avx512_bf16", "amx_bf16"}


def usable_cpus(cgroup: Path = _CGROUP) -> int:
    """Take the least of the affinity mask, the cgroup's quota and what Spaces promises; at least 1.

    Args:
        cgroup: where the cgroup of this process is mounted, in version 2 or 1.
    """
    limits = [_affinity(), _quota(cgroup), promised_cpus()]
    return max(1, min(limit for limit in limits if limit is not None))


def has_all_cpus() -> bool:
    """Tell whether this process may use all CPUs on which it runs; others may need the rest."""
    return usable_cpus() == _affinity()


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(cgroup: Path) -> int | None:
    """Read quota / period, rounded up; None without a limit."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if quota in ("max", "-1"):
        return None
    return max(1, math.ceil(int(quota) / int(period)))


def computes_in_bf16(cpuinfo: Path = _CPUINFO) -> bool:
    """Tell whether the processor itself multiplies in bfloat16; emulation would be slower.

    Args:
        cpuinfo: the kernel's list of processors; without it, the answer is no.
    """
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return not _BF16_FLAGS.isdisjoint(flags)
