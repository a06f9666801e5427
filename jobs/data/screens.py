"""Screens that need no model: columns that are the label in disguise."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.kernels import column_moments, dense_columns, weighted_column_sums
from jobs.data.scikit import area_under_roc
from jobs.data.split import Rows

_LEAK_AUC = 0.99
_CANDIDATES = 30  # columns most correlated with the label; only these get an exact AUC


def leak_suspects(X: csr_array, y: NDArray[np.float32], rows: Rows) -> NDArray[np.int64]:
    """Columns of X that alone separate the classes of `rows` with an AUC beyond .99, in either direction.

    Args:
        X: (n_rows, n_columns) CSR.
        y: (n_rows,) labels.
        rows: training rows.
    """
    n, arrays = len(rows), (X.indptr, X.indices, X.data)
    sums, squares = column_moments(*arrays, rows, X.shape[1])
    mean, square = sums / n, squares / n
    covariance = weighted_column_sums(*arrays, rows, y, X.shape[1]) / n - mean * y[rows].mean(dtype=np.float64)
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    strength = np.abs(np.divide(covariance, deviation, out=np.zeros_like(mean), where=deviation > 0))
    candidates = np.argsort(-strength, kind="stable")[:_CANDIDATES]
    position = np.full(X.shape[1], -1)
    position[candidates] = np.arange(len(candidates))
    values = dense_columns(*arrays, rows, position, len(candidates))  # (n, n_candidates)
    suspects = [k for at, k in enumerate(candidates.tolist()) if _separation(values[:, at], y[rows]) > _LEAK_AUC]
    return np.array(sorted(suspects), dtype=np.int64)


def is_leak(codes: NDArray[np.int32], y: NDArray[np.float32], rows: Rows) -> bool:
    """Whether the share of positives of its level alone separates the classes of `rows` with an AUC beyond .99.

    Args:
        codes: (n_rows,) code of a categorical column, not negative.
        y: (n_rows,) labels.
        rows: training rows.
    """
    own, label = codes[rows], y[rows]
    counts = np.bincount(own)
    rates = np.divide(np.bincount(own, label), counts, out=np.zeros(len(counts)), where=counts > 0)
    return _separation(rates[own], label) > _LEAK_AUC


def _separation(values: NDArray[np.floating], label: NDArray[np.float32]) -> float:
    auc = area_under_roc(label, values)
    return max(auc, 1 - auc)
