"""What most columns have in common: how much a user did at all, as a rule.

Where all columns count what users do, every one of them says how active a user is, and a column of noise stands for
what the others say badly of it: no linear combination of a few columns is what all of them share. So the test of
single columns asks what a column says beyond the first principal component, as genetics asks beyond ancestry (Price
et al. 2006).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, eigsh

from jobs.data.dataset import Design
from jobs.data.kernels import column_moments
from jobs.data.split import Rows

Floats = NDArray[np.float64]

_ROWS = 20_000  # so many evenly spaced ones, or up to twice as many, are enough
_EXACT = 1e-2  # of the eigenvalues: where the first stands out, it is far more exact
_STANDS_OUT = 2.0  # eigenvalues: of the first beside the second, else columns have nothing in common
_MOST_OF_IT = 0.1  # that one column may be, else it would be tested beyond itself


def common_factor(design: Design, rows: Rows) -> Floats | None:
    """(n_rows,) the first principal component of the standardised codes; None where it does not stand out.

    Args:
        design: all columns without knots.
        rows: those that its weights are fitted on.
    """
    some = rows[:: max(1, len(rows) // _ROWS)]
    Z = csr_array(design.Z[some])
    n, p = Z.shape
    sums, squares = column_moments(Z.indptr, Z.indices, Z.data, np.arange(n), p)
    variance = squares / n - (sums / n) ** 2
    scale = np.where(variance > 1e-12 * squares / n, 1 / np.sqrt(np.maximum(variance, 1e-300)), 0.0)
    if len(np.unique(design.owner[scale > 0])) < 2 / _MOST_OF_IT:
        return None
    mean = sums / n * scale

    def correlate(w: Floats) -> Floats:
        said = Z @ (scale * w.ravel()) - mean @ w.ravel()
        return np.asarray((scale * (Z.T @ said) - mean * said.sum()) / n, np.float64)

    correlation = LinearOperator((p, p), matvec=correlate, dtype=np.float64)
    values, vectors = eigsh(correlation, k=2, v0=np.random.default_rng(0).normal(size=p), tol=_EXACT)
    weight = vectors[:, np.argmax(values)]
    if values.max() < _STANDS_OUT * values.min() or np.bincount(design.owner, weight**2).max() > _MOST_OF_IT:
        return None
    return np.asarray(design.Z @ (scale * weight), np.float64)
