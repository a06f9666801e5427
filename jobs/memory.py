"""How much memory a run will need, known before it is spent.

The estimate is linear in the non-zeros: what the process weighs with its libraries, so many bytes for each non-zero
(the table, its scaled copies, what the trees are boosted on), for each row and for its texts, and the nets. The
constants were measured with the drops of benchmarks/ (docs/method.md); the estimate errs on the side of too much.
"""

import ctypes
from contextlib import suppress
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import pyarrow as pa

from jobs.errors import OutOfMemory
from storage.parquet import DropSchema
from storage.plan import ReadPlan

_PROCESS_BYTES = 750_000_000
_BYTES_PER_NONZERO = 36
_BYTES_PER_ROW = 100  # id, label, place in the order, probabilities
_BYTES_PER_ITEM = 4  # of a sequence as text, its delimiter included
_CODES_OF_DATE = 6  # days, two hats, weekday, month, hour
_BYTES_PER_EVENT = 64  # of a long drop, while its events are sorted
_SELF, _KIB = Path("/proc/self"), 1024
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8  # parameters of mallopt(3)
_MATRICES_PER_NET = 4  # codes, their momentum, their gradient, and as they were at the best epoch


def expected_peak_bytes(schema: DropSchema, plan: ReadPlan, *, d_block: int, folds: int, threads: int) -> int:
    """Estimate the peak of a run from the footers of its drop.

    Args:
        schema: the footers.
        plan: which columns are read.
        d_block: width of a code.
        folds: nets.
        threads: nets that train at a time.
    """
    if plan.shape == "long":
        return _PROCESS_BYTES + schema.n_rows * (_BYTES_PER_NONZERO + _BYTES_PER_EVENT)
    nonzeros = schema.nonzeros_expected(plan.numeric)
    nonzeros += schema.n_rows * (len(plan.categorical) + _CODES_OF_DATE * len(plan.dates))
    of_items = schema.text_bytes([name for name, _ in plan.sequences])
    nonzeros += of_items // _BYTES_PER_ITEM
    texts = schema.text_bytes((plan.id, *plan.carried)) + of_items
    codes = 4 * len(plan.numeric) * d_block
    rows = _BYTES_PER_ROW * schema.n_rows + 2 * texts
    nets = codes * (folds + _MATRICES_PER_NET * min(threads, folds))
    return _PROCESS_BYTES + rows + _BYTES_PER_NONZERO * nonzeros + nets


def require_memory(expected: int, max_memory: int | None) -> None:
    """Refuse a run that would pass the limit.

    Raises:
        OutOfMemory: it would.
    """
    if max_memory is not None and expected > max_memory:
        raise OutOfMemory(
            f"the run is expected to need {_gigabytes(expected)}, and max_memory is {_gigabytes(max_memory)}. Raise "
            "max_memory, lower net.d_block, list columns under table.ignore, or split the drop"
        )


def bound_freed_memory(threads: int) -> None:
    """Let glibc give freed arrays above 4 MB back at once, and keep smaller ones for `threads` threads together.

    By itself it comes to keep arrays up to 32 MB, and up to eight times as many heaps as there are cores.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(_MMAP_THRESHOLD, 4 << 20)
        adjust(_TRIM_THRESHOLD, 64 << 20)
        adjust(_ARENA_MAX, threads)


def return_freed_memory() -> None:
    """Give freed memory back to the system: allocators keep it by thread, for an allocation that may never come.

    Threads that train side by side, and pyarrow, leave up to half of a run's memory that way. Where the C library is
    not glibc only pyarrow's goes back.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def forget_peak() -> None:
    """Let the peak of resident memory begin anew: a service works on many drops. Where the system cannot, it stays."""
    with suppress(OSError):
        (_SELF / "clear_refs").write_text("5", encoding="ascii")


def peak_bytes() -> int:
    """Return the peak of resident memory since it was last forgotten; where /proc is not there, of the process."""
    with suppress(OSError):
        for line in (_SELF / "status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * _KIB
    return getrusage(RUSAGE_SELF).ru_maxrss * _KIB


def _gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.2f} GB"
