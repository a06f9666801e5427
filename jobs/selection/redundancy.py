"""Columns that selected ones determine: relevant, though none is needed beside all others.

No test of a column given all others can call both a total and all of its parts signal: what one says is said by the
rest. Which of them act, the data cannot tell either (weak relevance: Kohavi and John 1997, section 2.2). So what holds
for a twin of one selected column (pruning.py) holds for what several determine.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.sparse import csr_array

from jobs.data.dataset import Design
from jobs.data.design import take_columns
from jobs.data.kernels import column_moments
from jobs.data.split import Rows

DETERMINED = 0.9  # share of a column's variance; a twin at the default r of .9 shares .81, so pairs are left to pruning
_ROWS = 100_000  # evenly spaced ones are enough
_MOST_CODES = 1000  # of selected columns
_RIDGE = 1e-6  # in units of a correlation


def redundant_columns(design: Design, rows: Rows, selected: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numeric columns of which the selected ones, linearly, explain at least DETERMINED of the variance, ascending.

    Args:
        design: all columns without knots, so that the code of a numeric column is its place.
        rows: the rows to look at.
        selected: positions of columns, the surest one first; those behind _MOST_CODES codes determine nothing.

    Returns:
        None of the selected ones. The share is adjusted for the number of codes (Ezekiel 1930).
    """
    witnesses = selected[np.cumsum(np.diff(design.starts)[selected]) <= _MOST_CODES]
    codes = np.flatnonzero(np.isin(design.owner, witnesses))
    some = rows[:: 1 + len(rows) // _ROWS]
    spare = len(some) - len(codes) - 1
    if not len(codes) or spare <= 0:
        return np.zeros(0, np.int64)
    Z = csr_array(design.Z[some])
    sums, squares = column_moments(Z.indptr, Z.indices, Z.data, np.arange(len(some)), Z.shape[1])
    variance = squares - sums**2 / len(some)
    chosen = take_columns(Z, codes).astype(np.float64)
    together = (chosen.T @ Z).toarray() - np.outer(sums[codes], sums) / len(some)
    deviation = np.sqrt(np.maximum(variance, 1e-12 * np.maximum(squares, 1e-12)))
    r = together / np.outer(deviation[codes], deviation)
    explained = np.einsum("ij,ij->j", r, solve(r[:, codes] + _RIDGE * np.eye(len(codes)), r, assume_a="pos"))
    share = 1 - (1 - explained) * (len(some) - 1) / spare
    others = np.setdiff1d(np.arange(design.n_numeric), selected)
    return others[share[others] >= DETERMINED]
