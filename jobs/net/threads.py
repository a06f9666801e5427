# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportPrivateImportUsage=false
# pyright: reportAttributeAccessIssue=false
# numba sets the names of its configuration at run time.
"""How many threads one computation uses: torch and numba keep a number of their own for each thread that calls them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba
import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def compute_on(threads: int) -> None:
    """Let torch and numba use so many threads for what the calling thread computes."""
    torch.set_num_threads(threads)
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Apply `work` to every item, `threads` of them at a time, each computing on one thread.

    So a result does not depend on how many threads there are; and for small minibatches and single-fold sums that is also
    faster than a team of threads on each. The first error ends the others at their next call back, and is raised.
    """
    with ThreadPoolExecutor(threads, initializer=compute_on, initargs=(1,)) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            pool.shutdown(cancel_futures=True)
