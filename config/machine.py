"""What a process has to know of its machine, and to tell the libraries, before they are loaded."""

import os
from pathlib import Path

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


def let_idle_threads_sleep() -> None:
    """Have idle OpenMP threads wait without spinning, unless the operator said otherwise.

    Several libraries bring an OpenMP of their own. Threads of one that spin while another works take its cores:
    training becomes 3 to 30 times slower. OpenMP reads the variable when it is loaded, so this has to come first.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def tame_threads() -> None:
    """Let idle OpenMP threads sleep, and OpenBLAS, whose threads only spin, have one, unless the operator said more.

    numpy's products are small here; those that are not are torch's. With two threads of OpenBLAS beside two of ours a
    product took 20 times as long.
    """
    let_idle_threads_sleep()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def usable_cores() -> int:
    """Return how many cores this process may use: by its affinity and, in a container, by its quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, _quota_cores() or allowed)


def _quota_cores() -> int | None:
    """Return the whole cores of the control group's quota ("200000 100000" is 2), None where there is none."""
    try:
        quota, period = _CPU_QUOTA.read_text(encoding="ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no such file, or "max 100000"
        return None


def usable_memory() -> int:
    """Return how many bytes this process may use: those of the machine or, in a container, its limit."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(installed, int(_MEMORY_LIMIT.read_text(encoding="ascii")))
    except (OSError, ValueError):  # no such file, or "max"
        return installed
