"""Exact Pearson correlations of sparse columns, from X^T X in column blocks, accumulated in float64.

Only pairs at or above a threshold are kept: never a p x p matrix. Cost: for each row, half the square of its non-zeros.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.kernels import column_moments, column_places, gram_block
from jobs.data.split import Rows

_BLOCK_BYTES = 16 << 20
_ROUNDING = 1e-12  # exact twins have an r of 1 less an ulp or two; a threshold of 1 has to find them


@dataclass(frozen=True, slots=True)
class CorrelatedPairs:
    """Pairs of columns with |r| at or above a threshold.

    Attributes:
        left, right: (n_pairs,) column indices, left < right.
        r: (n_pairs,) float64 Pearson correlations.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    r: NDArray[np.float64]


def correlated_pairs(
    X: csr_array,
    rows: Rows,
    threshold: float,
    *,
    block_bytes: int = _BLOCK_BYTES,
    on_columns: Callable[[int], object] = int,
) -> CorrelatedPairs:
    """Find every pair of columns of X whose correlation over `rows` is at least `threshold` in absolute value.

    Args:
        X: (n_rows, n_columns) CSR with sorted indices; constant columns correlate with nothing.
        rows: the rows to use.
        threshold: in (0, 1].
        block_bytes: size of one block of rows of X^T X; changes nothing of the result.
        on_columns: called with the number of columns of each finished block; may raise to abandon.
    """
    n_columns = X.shape[1]
    starts, entry, number = column_places(X.indptr, X.indices, rows, n_columns)
    sums, squares = column_moments(X.indptr, X.indices, X.data, rows, n_columns)
    mean = sums / len(rows)
    deviation = np.sqrt(np.maximum(squares / len(rows) - mean**2, 0))
    n_block = max(1, min(n_columns, block_bytes // (8 * max(1, n_columns))))
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    for first in range(0, n_columns, n_block):
        G = np.zeros((min(n_block, n_columns - first), n_columns))  # (n_block, n_columns)
        gram_block(starts, entry, number, X.indptr[1:][rows], X.indices, X.data, first, G)
        found.append(_strong(G, len(rows), first, mean, deviation, threshold))
        on_columns(len(G))
    if not found:
        empty = np.zeros(0, np.int64)
        return CorrelatedPairs(empty, empty, np.zeros(0))
    left, right, r = (np.concatenate(part) for part in zip(*found, strict=True))
    return CorrelatedPairs(left, right, r)


def _strong(
    G: NDArray[np.float64],
    n_rows: int,
    first: int,
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Where r = (G / n - mean mean') / (sd sd') is strong above the diagonal, and r there. Overwrites G."""
    block = slice(first, first + len(G))
    np.divide(G, n_rows, out=G)
    np.subtract(G, mean[block, None] * mean[None, :], out=G)
    spread = deviation[block, None] * deviation[None, :]
    r = np.divide(G, spread, out=np.zeros_like(G), where=spread > 0)
    local, right = np.nonzero(np.abs(r) >= threshold - _ROUNDING)
    above = right > local + first
    local, right = local[above], right[above]
    return local + first, right, np.clip(r[local, right], -1, 1)
