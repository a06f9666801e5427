"""What a process knows of its machine."""

import os
from pathlib import Path

import pytest

from config import machine


@pytest.mark.parametrize(("quota", "cores"), [("100000 100000", 1), ("max 100000", None), ("50000 100000", 1)])
def test_a_quota_bounds_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int | None
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(f"{quota}\n", encoding="ascii")
    monkeypatch.setattr(machine, "_CPU_QUOTA", file)
    assert machine.usable_cores() == (cores or len(os.sched_getaffinity(0)))


def test_without_control_groups_the_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_CPU_QUOTA", tmp_path / "none")
    assert machine.usable_cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("limit", "expected"), [("1048576", 1 << 20), ("max", None), (str(1 << 60), None)])
def test_a_limit_bounds_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, expected: int | None
) -> None:
    monkeypatch.setattr(machine, "_MEMORY_LIMIT", tmp_path / "none")
    installed = machine.usable_memory()
    assert installed > 1 << 28
    file = tmp_path / "memory.max"
    file.write_text(f"{limit}\n", encoding="ascii")
    monkeypatch.setattr(machine, "_MEMORY_LIMIT", file)
    assert machine.usable_memory() == (expected or installed)
