"""The machine on which something was measured."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

_LIBRARIES = ("numpy", "scipy", "torch", "numba", "pyarrow", "pandas", "scikit-learn", "lightgbm", "shap", "captum")


def memory_bytes() -> int:
    """Installed memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def is_installed(library: str) -> bool:
    """Whether it can be imported."""
    return find_spec(library) is not None


def keep_to_cores(count: int) -> int:
    """Let this process and its children use so many cores at most; return how many they have."""
    chosen = sorted(os.sched_getaffinity(0))[:count]
    os.sched_setaffinity(0, chosen)
    return len(chosen)


def describe_machine() -> dict[str, str]:
    """Processor, cores in use, memory, system, versions."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return {
        "processor": found[1] if found else platform.processor(),
        "cores": f"{len(os.sched_getaffinity(0))} in use of {os.cpu_count()}",
        "memory": f"{memory_bytes() / 1e9:.1f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "libraries": ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
    }


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "(none)"
