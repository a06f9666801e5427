"""Min-max scaling that keeps zeros zero, fitted on training rows only.

A sparse column becomes x' = x / (max - min): the constant -min / (max - min) that textbook min-max adds is the same for
every row, so the intercept of the linear model absorbs it. A column that is non-zero on every training row has
no zeros to keep, and becomes x' = (x - min) / (max - min): an epoch second or a year of birth would otherwise be a
large constant with a tiny signal on top, which no ridge in float32 can use. (A zero that such a column has elsewhere
counts as its minimum.) With log1p, counts are compressed first: sign(x) log(1 + |x|).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.kernels import column_extremes, rescale
from jobs.data.split import Rows


@dataclass(frozen=True, slots=True)
class Scaler:
    """Fitted scales and what the training rows said about each column.

    Attributes:
        log1p: whether values are compressed first.
        low, high: (n_columns,) float64 extremes over training rows, zeros included, after log1p.
        count: (n_columns,) non-zero training rows.
        n_rows: training rows.
    """

    log1p: bool
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]
    n_rows: int

    def of(self, columns: NDArray[np.int64]) -> "Scaler":
        """The scales of those columns."""
        return Scaler(self.log1p, self.low[columns], self.high[columns], self.count[columns], self.n_rows)

    @property
    def shift(self) -> NDArray[np.float64]:
        """(n_columns,) what is subtracted from a value: the minimum of a column without zeros, else 0."""
        return np.where(self.count == self.n_rows, self.low, 0.0)

    @property
    def factor(self) -> NDArray[np.float64]:
        """(n_columns,) what a shifted value is multiplied with; 0 for a constant column."""
        span = self.high - self.low
        return np.divide(1.0, span, out=np.zeros_like(span), where=span > 0)


def compress(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sign(x) log(1 + |x|), elementwise: log1p for counts, symmetric for the rare negative."""
    return np.copysign(np.log1p(np.abs(values)), values)


def fit_scaler(X: csr_array, rows: Rows, *, log1p: bool) -> Scaler:
    """Fit on `rows` of X, (n_rows, n_columns) CSR. O(nnz)."""
    low, high, count = column_extremes(X.indptr, X.indices, X.data, rows, X.shape[1])
    low, high = low.astype(np.float64), high.astype(np.float64)
    if log1p:
        low, high = compress(low), compress(high)
    return Scaler(log1p, low, high, count, len(rows))


def scale(X: csr_array, scaler: Scaler) -> csr_array:
    """Return X scaled; indices are shared with X, values are new. Rows outside the fit may leave [0, 1]."""
    values = np.empty(X.nnz, np.float32)
    rescale(X.indices, X.data, scaler.shift, scaler.factor, scaler.log1p, values)
    return csr_array((values, X.indices, X.indptr), shape=X.shape)
