# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportPrivateImportUsage=false
# pyright: reportAttributeAccessIssue=false
# numba sets the names of its configuration at run time.
"""How many threads one computation uses: torch and numba keep a number of their own for each thread that calls them."""

import numba
import torch


def compute_on(threads: int) -> None:
    """Let torch and numba use so many threads for what the calling thread computes."""
    torch.set_num_threads(threads)
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))


def compute_on_one_thread() -> None:
    """Let the calling thread compute alone: for small minibatches that is faster than any team."""
    compute_on(1)
