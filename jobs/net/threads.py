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

    So a result does not depend on how many threads there are, and small minibatches go faster than with a team of
    threads on each. No item begins after the first error, which is raised when those under way have ended.
    """
    errors: list[BaseException] = []

    def unless_one_failed(item: Item) -> Result:
        if errors:
            raise errors[0]
        try:
            return work(item)
        except BaseException as error:
            errors.append(error)
            raise

    with ThreadPoolExecutor(threads, initializer=compute_on, initargs=(1,)) as pool:
        return list(pool.map(unless_one_failed, items))
