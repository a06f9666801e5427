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
    n_columns, status = len(status), status.copy()
    stands_for, correlation = np.full(n_columns, -1), np.full(n_columns, np.nan)
    columns = np.lexsort((np.arange(n_columns), -count))
    place = np.argsort(columns)
    ends, others = np.append(pairs.left, pairs.right), np.append(pairs.right, pairs.left)
    r = np.append(pairs.r, pairs.r)
    by_end = np.argsort(ends, kind="stable")
    starts = np.searchsorted(ends[by_end], np.arange(n_columns + 1))
    for column in columns[status[columns] == KEPT]:
        own = by_end[starts[column] : starts[column + 1]]
        own = own[(status[others[own]] == KEPT) & (place[others[own]] < place[column])]
        if len(own):
            nearest = own[np.lexsort((others[own], -np.abs(r[own])))[0]]
            stands_for[column], correlation[column] = others[nearest], r[nearest]
            status[column] = PRUNED
    return Pruning(status, stands_for, correlation)
