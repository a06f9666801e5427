"""Screens that need no model: columns that are the label in disguise."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

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
    part = X[rows]
    n, label = len(rows), y[rows].astype(np.float64)
    mean = np.asarray(part.sum(axis=0), dtype=np.float64).ravel() / n
    square = np.asarray(part.multiply(part).sum(axis=0), dtype=np.float64).ravel() / n
    covariance = np.asarray(part.T @ label).ravel() / n - mean * label.mean()
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    strength = np.abs(np.divide(covariance, deviation, out=np.zeros_like(mean), where=deviation > 0))
    candidates = np.argsort(-strength, kind="stable")[:_CANDIDATES]
    suspects = [k for k in candidates.tolist() if _separation(part[:, [k]].toarray().ravel(), label) > _LEAK_AUC]
    return np.array(sorted(suspects), dtype=np.int64)


def _separation(values: NDArray[np.float32], label: NDArray[np.float64]) -> float:
    auc = area_under_roc(label, values)
    return max(auc, 1 - auc)
