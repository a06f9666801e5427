"""Which columns are not worth a weight: constant ones, rare ones, and twins of a column that stays.

Of two twins the one with more non-zero training rows stays, then the one whose name sorts first: the order of columns
in the drop changes nothing. Every dropped twin names the kept column that stands for it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.correlation import CorrelatedPairs
from jobs.data.scaling import Scaler

KEPT, CONSTANT, RARE, PRUNED = "kept", "constant", "rare", "pruned"


@dataclass(frozen=True, slots=True)
class Pruning:
    """The verdict on each numeric column.

    Attributes:
        status: (n_columns,) one of "kept", "constant", "rare", "pruned".
        stands_for: (n_columns,) int64; the kept column that stands for a pruned one, else -1.
        r: (n_columns,) correlation with that column, else nan.
    """

    status: NDArray[np.str_]
    stands_for: NDArray[np.int64]
    r: NDArray[np.float64]

    @property
    def kept(self) -> NDArray[np.int64]:
        """Indices of the kept columns, ascending."""
        return np.flatnonzero(self.status == KEPT)


def screen_columns(scaler: Scaler, n_rows: int, min_rows: int) -> NDArray[np.str_]:
    """(n_columns,) "constant" (one value on all training rows), "rare" (non-zero on fewer than `min_rows`), "kept"."""
    status = np.full(len(scaler.count), KEPT, dtype="<U8")
    status[scaler.count < min(min_rows, n_rows)] = RARE
    status[scaler.high <= scaler.low] = CONSTANT
    return status


def prune(status: NDArray[np.str_], count: NDArray[np.int64], pairs: CorrelatedPairs) -> Pruning:
    """Drop every column that is correlated with a kept one, commonest columns first.

    Args:
        status: (n_columns,) from `screen_columns`; column order is by name.
        count: (n_columns,) non-zero training rows.
        pairs: strong pairs among the columns that are "kept" so far.
    """
    n_columns = len(status)
    status = status.copy()
    stands_for, r = np.full(n_columns, -1), np.full(n_columns, np.nan)
    neighbours = _adjacency(pairs, n_columns)
    for column in np.lexsort((np.arange(n_columns), -count)):
        if status[column] != KEPT:
            continue
        twins = [(abs(value), -other, other, value) for other, value in neighbours.get(int(column), ())]
        standing = [twin for twin in twins if status[twin[2]] == KEPT and _comes_before(twin[2], int(column), count)]
        if standing:
            _, _, stands_for[column], r[column] = max(standing)
            status[column] = PRUNED
    return Pruning(status, stands_for, r)


def _comes_before(other: int, column: int, count: NDArray[np.int64]) -> bool:
    return (-int(count[other]), other) < (-int(count[column]), column)


def _adjacency(pairs: CorrelatedPairs, n_columns: int) -> dict[int, list[tuple[int, float]]]:
    neighbours: dict[int, list[tuple[int, float]]] = {}
    for left, right, r in zip(pairs.left.tolist(), pairs.right.tolist(), pairs.r.tolist(), strict=True):
        neighbours.setdefault(left, []).append((right, r))
        neighbours.setdefault(right, []).append((left, r))
    return {column: neighbours[column] for column in neighbours if column < n_columns}
