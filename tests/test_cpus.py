from pathlib import Path

import pytest

from demo import cpus
from demo.cpus import computes_in_bf16, has_all_cpus, usable_cpus


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu.max": "250000 100000"}, 3),
        ({"cpu.max": "20000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
    ],
    ids=["no cgroup", "v2 unlimited", "v2 rounds up", "v2 under one", "v1", "v1 unlimited"],
)
def test_the_smallest_limit_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: int
) -> None:
    monkeypatch.setattr(cpus, "_affinity", lambda: 8)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content + "\n")
    assert usable_cpus(tmp_path) == expected


@pytest.mark.parametrize(("value", "expected"), [("2", 2), ("64", 8), ("0", 8), ("many", 8)])
def test_the_number_that_spaces_promises_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, expected: int
) -> None:
    monkeypatch.setattr(cpus, "_affinity", lambda: 8)
    monkeypatch.setenv("CPU_CORES", value)
    assert usable_cpus(tmp_path) == expected


@pytest.mark.parametrize(("value", "expected"), [("8", True), ("", True), ("1", False)])
def test_threads_are_bound_only_where_no_cpu_is_left_to_others(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: bool
) -> None:
    monkeypatch.setattr(cpus, "_affinity", lambda: 8)
    monkeypatch.setattr(cpus, "_quota", lambda cgroup: None)
    monkeypatch.setenv("CPU_CORES", value)
    assert has_all_cpus() == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("avx512f avx512_bf16", True), ("amx_bf16 amx_tile", True), ("avx512f", False), (None, False)],
)
def test_bf16_is_used_only_where_the_processor_computes_in_it(
    tmp_path: Path, flags: str | None, expected: bool
) -> None:
    file = tmp_path / "cpuinfo"
    if flags:
        file.write_text(f"processor\t: 0\nmodel name\t: bf16\nflags\t\t: fpu {flags}\nbugs\t: \n")
    assert computes_in_bf16(file) == expected
