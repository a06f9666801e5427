"""Min-max scaling that keeps zeros zero, fitted on training rows only.

x' = x / (max - min). The constant -min / (max - min) that textbook min-max adds is the same for every row of a column,
so the bias of the first layer absorbs it (DESIGN.md 3). With log1p, counts are compressed first: sign(x) log(1 + |x|).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.kernels import column_extremes
from jobs.data.split import Rows


@dataclass(frozen=True, slots=True)
class Scaler:
    """Fitted scales and what the training rows said about each column.

    Attributes:
        log1p: whether values are compressed first.
        low, high: (n_columns,) float32 extremes over training rows, zeros included, after log1p.
        count: (n_columns,) non-zero training rows.
    """

    log1p: bool
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    count: NDArray[np.int64]

    @property
    def factor(self) -> NDArray[np.float32]:
        """(n_columns,) what a value is multiplied with; 0 for a constant column."""
        span = self.high - self.low
        return np.divide(np.float32(1), span, out=np.zeros_like(span), where=span > 0)


def compress(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sign(x) log(1 + |x|), elementwise: log1p for counts, symmetric for the rare negative."""
    return np.copysign(np.log1p(np.abs(values)), values)


def fit_scaler(X: csr_array, rows: Rows, *, log1p: bool) -> Scaler:
    """Fit on `rows` of X, (n_rows, n_columns) CSR. O(nnz)."""
    low, high, count = column_extremes(X.indptr, X.indices, X.data, rows, X.shape[1])
    return Scaler(log1p, compress(low), compress(high), count) if log1p else Scaler(log1p, low, high, count)


def scale(X: csr_array, scaler: Scaler) -> csr_array:
    """Return X scaled; indices are shared with X, values are new. Rows outside the fit may leave [0, 1]."""
    values = compress(X.data) if scaler.log1p else X.data.copy()
    values *= scaler.factor[X.indices]
    return csr_array((values, X.indices, X.indptr), shape=X.shape)
