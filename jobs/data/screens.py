"""Screens that need no model: columns that are the label in disguise, that drift, that count activity; twin rows.

They flag, and drop nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtr
from scipy.stats import rankdata

from jobs.data.kernels import column_moments, dense_columns, weighted_column_sums
from jobs.data.scikit import area_under_roc
from jobs.data.split import Rows

_LEAK_AUC = _LEAK_R = 0.99
_CANDIDATES = 30  # columns most correlated with the label; only these get an exact AUC
_DRIFT, _DRIFT_P = 0.1, 0.01  # standard deviations between means that matter; of any column by chance
_EXPOSURE_R = 0.9
_FEWEST_COLUMNS = 10  # of which a number of non-zeros says how much a row did


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviation of some columns.

    Attributes:
        n_rows: over so many rows.
        mean, deviation: (n_columns,) float64; nan where they are not known.
    """

    n_rows: int
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def leak_suspects(X: csr_array, y: NDArray[np.float32], rows: Rows) -> NDArray[np.int64]:
    """Columns of X that alone tell the label of `rows`: a class by its AUC, a number by its r or rank r, beyond .99.

    Args:
        X: (n_rows, n_columns) CSR.
        y: (n_rows,) labels: 0 or 1, or numbers.
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
    suspects = [k for at, k in enumerate(candidates.tolist()) if tells(values[:, at], y[rows])]
    return np.array(sorted(suspects), dtype=np.int64)


def drifting_columns(X: csr_array, train: Rows, test: Rows) -> NDArray[np.int64]:
    """Columns of X whose means on training and on test rows differ by more than chance, and by enough to matter.

    Args:
        X: (n_rows, n_columns) CSR.
        train: positions of rows.
        test: positions of the rows to compare them with.
    """
    return drifted(moments_of(X, train), moments_of(X, test)) if len(test) else np.zeros(0, np.int64)


def moments_of(X: csr_array, rows: Rows) -> Moments:
    """The moments of every column of X, (n_rows, n_columns) CSR, over `rows`. O(nnz)."""
    sums, squares = column_moments(X.indptr, X.indices, X.data, rows, X.shape[1])
    mean = sums / len(rows)
    return Moments(len(rows), mean, np.sqrt(np.maximum(squares / len(rows) - mean**2, 0)))


def drifted(before: Moments, now: Moments) -> NDArray[np.int64]:
    """Columns whose means differ by more than chance, with Bonferroni over all columns, and by enough to matter.

    Columns of which either mean is nan do not count.
    """
    n, between = before.n_rows + now.n_rows, now.mean - before.mean
    within = (before.n_rows * before.deviation**2 + now.n_rows * now.deviation**2) / n
    deviation = np.sqrt(within + before.n_rows * now.n_rows / n**2 * between**2)
    apart = np.divide(np.abs(between), deviation, out=np.zeros_like(deviation), where=deviation > 0)
    z = apart / np.sqrt(1 / before.n_rows + 1 / now.n_rows)
    p = np.asarray(2 * ndtr(-z), np.float64)
    n_columns = np.isfinite(between).sum()
    return np.flatnonzero((apart > _DRIFT) & (p * n_columns < _DRIFT_P))


def exposure_columns(X: csr_array, rows: Rows) -> NDArray[np.int64]:
    """Columns of X that say how much a row did at all: correlated beyond .9 with its number of non-zeros.

    Args:
        X: (n_rows, n_columns) CSR, scaled.
        rows: training rows.
    """
    n, arrays, activity = len(rows), (X.indptr, X.indices, X.data), np.log1p(np.diff(X.indptr).astype(np.float64))
    spread = float(activity[rows].std())
    if spread == 0 or X.shape[1] < _FEWEST_COLUMNS:
        return np.zeros(0, np.int64)
    sums, squares = column_moments(*arrays, rows, X.shape[1])
    together = weighted_column_sums(*arrays, rows, activity.astype(np.float32), X.shape[1]) / n
    covariance = together - sums / n * activity[rows].mean()
    deviation = np.sqrt(np.maximum(squares / n - (sums / n) ** 2, 0))
    r = np.divide(covariance, deviation * spread, out=np.zeros_like(deviation), where=deviation > 0)
    return np.flatnonzero(np.abs(r) > _EXPOSURE_R)


def rows_seen_before(Z: csr_array, train: Rows, test: Rows) -> int:
    """How many test rows equal a training row in every column; rows without any entry do not count."""
    weight = np.random.default_rng(0).random(Z.shape[1])  # equal rows have equal sums, others hardly ever
    fingerprint, has_entries = np.asarray(Z @ weight), np.diff(Z.indptr) > 0
    return int(np.isin(fingerprint[test[has_entries[test]]], fingerprint[train[has_entries[train]]]).sum())


def is_leak(codes: NDArray[np.int32], y: NDArray[np.float32], rows: Rows) -> bool:
    """Whether the mean label of its level alone tells the label of `rows`, as with leak_suspects.

    Args:
        codes: (n_rows,) code of a categorical column, not negative.
        y: (n_rows,) labels: 0 or 1, or numbers.
        rows: training rows.
    """
    own, label = codes[rows], y[rows]
    counts = np.bincount(own)
    rates = np.divide(np.bincount(own, label), counts, out=np.zeros(len(counts)), where=counts > 0)
    return tells(rates[own], label)


def tells(values: NDArray[np.floating], label: NDArray[np.float32]) -> bool:
    """Whether (n,) values alone tell (n,) labels: classes by an AUC, numbers by r or rank r, beyond .99 either way."""
    if np.isin(label, (0, 1)).all():
        auc = area_under_roc(label, values)
        return max(auc, 1 - auc) > _LEAK_AUC
    if values.std() == 0:
        return False
    pairs = ((values, label), (rankdata(values), rankdata(label)))  # in ranks: a logarithm of the label is the label
    return any(abs(np.corrcoef(one, other)[0, 1]) > _LEAK_R for one, other in pairs)
