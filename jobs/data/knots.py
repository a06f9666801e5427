"""Curves for common numeric columns: beside its value, a code for each of some points between which it is interpolated.

A column that many rows have gets knots, quantiles of its non-zero training values. A value x becomes x itself and its
place between the two knots around it (hat functions: linear B-splines, de Boor 1978, chapter 9): 1 - u and u. So the
linear model becomes an additive one (Hastie and Tibshirani 1986) and the body sees steps, thresholds and presence
without having to make them, for two more entries a value however many knots there are. Zero stays no entry at all: a
column with zeros has its presence in the sum of its hats.

Which columns have knots follows from how many rows have them, never from the label. Only a dense table has any: where
most values lie in sparse columns, curves of the others cost a quarter of the training and bring .001 of AUC. All knots
together are at most one for 25 training rows; the commonest columns come first, and columns that are equally
common are treated alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.kernels import bend_rows, bent_lengths, column_places, narrow, select_columns
from jobs.data.split import Rows

Index = NDArray[np.int64]

_DENSE, _LEAST_SHARE = 0.5, 0.04  # of training rows that are non-zero: of a dense column, and of one with knots
_DENSE_TABLE = 2 / 3  # of all non-zero values lie in dense columns
_ROWS_A_KNOT = 25
_FEW = 4  # knots of a column; with fewer of them than this, fewer columns have any
_BENDS = 5  # knots of a column that a test looks along


@dataclass(frozen=True, slots=True)
class Knots:
    """Where the curves of numeric columns bend.

    Attributes:
        starts: (n_columns + 1,) int64; column j bends at `at[starts[j]:starts[j + 1]]`, if anywhere.
        at: (n_knots,) float32 scaled values, ascending within a column.
    """

    starts: Index
    at: NDArray[np.float32]

    @property
    def widths(self) -> Index:
        """(n_columns,) codes of each column: its value, and its knots."""
        return 1 + np.diff(self.starts)


def no_knots(n_columns: int) -> Knots:
    """Every column is its value alone."""
    return Knots(np.zeros(n_columns + 1, np.int64), np.zeros(0, np.float32))


def fit_knots(X: csr_array, rows: Rows, count: Index, most: int) -> Knots:
    """Choose columns and knots on `rows` of X.

    Args:
        X: (n_rows, n_columns) CSR of scaled columns.
        rows: training rows.
        count: (n_columns,) how many of them are non-zero.
        most: knots of a column; 0: none.
    """
    bent = _columns_with_knots(count, len(rows), most)
    per_column = min(most, max(_FEW, len(rows) // _ROWS_A_KNOT // max(1, len(bent))))
    return _knots_of(bent, per_column, X, rows)


def fit_bends(X: csr_array, rows: Rows, count: Index) -> Knots:
    """A few knots for the columns that most of `rows` have, in every table: what a test looks along, not a net.

    X, count: as with fit_knots.
    """
    return _knots_of(_commonest(count, len(rows), _DENSE, _BENDS), _BENDS, X, rows)


def _knots_of(bent: Index, per_column: int, X: csr_array, rows: Rows) -> Knots:
    at = [np.zeros(0, np.float32)] * X.shape[1]
    position = np.full(X.shape[1], -1, np.int64)
    position[bent] = np.arange(len(bent))
    indptr, indices, data = select_columns(X.indptr, X.indices, X.data, position)
    starts, entry, _ = column_places(indptr, indices, rows, len(bent))
    for k, column in enumerate(bent):
        values = data[entry[starts[k] : starts[k + 1]]]
        at[int(column)] = _quantiles(values[values != 0], per_column)
    starts = np.concatenate([[0], np.cumsum([len(own) for own in at], dtype=np.int64)])
    return Knots(starts, np.concatenate([np.zeros(0, np.float32), *at]))


def bend(X: csr_array, knots: Knots) -> csr_array:
    """(n_rows, n_codes) CSR: every column of X followed by its hats; X itself where there are no knots. O(nnz)."""
    if not len(knots.at):
        return X
    first = np.concatenate([[0], np.cumsum(knots.widths)])
    indptr = np.concatenate([[0], np.cumsum(bent_lengths(X.indptr, X.indices, X.data, knots.starts, knots.at))])
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    bend_rows(X.indptr, X.indices, X.data, knots.starts, knots.at, first, indptr, indices, data)
    return csr_array((data, indices, narrow(indptr)), shape=(X.shape[0], int(first[-1])))


def _columns_with_knots(count: Index, n_rows: int, most: int) -> Index:
    """Ascending; as many as can have a few knots each, those that as many rows have all or none."""
    if not most or count[count >= _DENSE * n_rows].sum() < _DENSE_TABLE * count.sum():
        return np.zeros(0, np.int64)
    return _commonest(count, n_rows, _LEAST_SHARE, min(most, _FEW))


def _commonest(count: Index, n_rows: int, share: float, each: int) -> Index:
    """Columns that so many rows have, ascending; not more than can have `each` knots."""
    wanted, allowed = np.flatnonzero(count >= share * n_rows), n_rows // _ROWS_A_KNOT // each
    if allowed < len(wanted):
        first_without = np.sort(count[wanted])[::-1][allowed]
        wanted = wanted[count[wanted] > first_without]
    return wanted


def _quantiles(values: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """At most n ascending knots: all values if there are no more; none for a column that is its presence."""
    distinct = np.unique(values)
    if len(distinct) > n:
        distinct = np.unique(np.quantile(values.astype(np.float64), np.linspace(0, 1, n)).astype(np.float32))
    return distinct if len(distinct) > 1 else distinct[:0]
