"""The mean of the weights over the steps of an epoch: what is judged, kept and used of a net.

The step size stays what it is, so the weights never settle: they wander around the minimum, and which of them a net
ends with is chance. Their mean is closer to it than any of them (averaging of iterates: Polyak and Juditsky 1992; of
nets: Izmailov et al. 2018).
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

Single = NDArray[np.float32]


class EpochMean:
    """The mean of arrays that are stepped in place.

    Args:
        live: the arrays.
    """

    def __init__(self, live: Sequence[Single]) -> None:
        self._live, self._sums, self._steps = live, [np.zeros_like(each) for each in live], 0

    def begin(self) -> None:
        """Forget all steps."""
        self._steps = 0
        for each in self._sums:
            each[...] = 0

    def note(self) -> None:
        """Count the arrays as they are now."""
        self._steps += 1
        for total, each in zip(self._sums, self._live, strict=True):
            np.add(total, each, out=total)

    @contextmanager
    def in_place(self) -> Generator[None]:
        """Within, the arrays are their means since `begin`; after it they are what they were."""
        kept = [each.copy() for each in self._live]
        try:
            for each, total in zip(self._live, self._sums, strict=True):
                np.divide(total, np.float32(self._steps), out=each)
            yield
        finally:
            for each, before in zip(self._live, kept, strict=True):
                each[...] = before
