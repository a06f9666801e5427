# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportPrivateImportUsage=false
# pyright: reportAttributeAccessIssue=false
# numba sets the names of its configuration at run time.
"""How many threads one computation uses: torch and numba keep a number of their own for each thread that calls them."""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Self, TypeVar

import numba
import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def compute_on(threads: int) -> None:
    """Let torch and numba use so many threads for what the calling thread computes."""
    torch.set_num_threads(threads)
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))


class Team:
    """Threads that work side by side, each task computing on one of them.

    So a result does not depend on how many threads there are, and small minibatches go faster than with all threads on
    each. After the first error no further task begins; leaving the block waits for those under way.

    Args:
        threads: tasks that run at a time.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, initializer=compute_on, initargs=(1,))
        self._futures: list[Future[Any]] = []
        self._has_failed = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Wait for the tasks under way."""
        self._pool.shutdown()
        if isinstance(error, CancelledError):  # whoever waits for a task that never began wants to know why
            raise next(failed for future in self._futures if (failed := _error_of(future)) is not None) from None

    def begin(self, work: Callable[[], Result]) -> Future[Result]:
        """Put a task in line; whoever asks for its result waits for it."""
        future = self._pool.submit(work)
        self._futures.append(future)
        future.add_done_callback(self._cancel_others)
        if self._has_failed:
            future.cancel()
        return future

    def _cancel_others(self, ended: Future[Any]) -> None:  # called before the thread of `ended` takes another task
        if _error_of(ended) is not None:
            self._has_failed = True
            for future in self._futures:
                future.cancel()


def _error_of(ended: Future[Any]) -> BaseException | None:
    return None if ended.cancelled() else ended.exception()


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Apply `work` to every item, by a team of so many threads, and return the results in order."""
    with Team(threads) as team:
        return [future.result() for future in [team.begin(partial(work, item)) for item in items]]
