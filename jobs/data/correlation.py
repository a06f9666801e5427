"""Exact Pearson correlations from X^T X in column blocks, accumulated in float64.

Only pairs at or above a threshold are kept: never a p x p matrix. Sparse columns are multiplied over their non-zeros,
for each row half the square of their number. The few dense columns become an array of their own: among each other they
are multiplied by BLAS, with a sparse column one line at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.design import take_columns
from jobs.data.kernels import column_counts, column_moments, column_places, dense_columns, gram_block, pearson
from jobs.data.split import Rows

_BLOCK_BYTES = 16 << 20
_DENSE_SHARE = 0.5  # columns with more non-zeros than this share of the rows are kept as an array
_DENSE_ROWS = 4096
_ROUNDING = 1e-12  # exact twins have an r of 1 less an ulp or two; a threshold of 1 has to find them

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]
Pairs = tuple[NDArray[np.int64], NDArray[np.int64], Floats]  # left, right, r


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
    n_columns, arrays = X.shape[1], (X.indptr, X.indices, X.data)
    sums, squares = column_moments(*arrays, rows, n_columns)
    mean = sums / len(rows)
    moments = _Moments(len(rows), mean, np.sqrt(np.maximum(squares / len(rows) - mean**2, 0)))
    is_dense = column_counts(X.indices, n_columns) > _DENSE_SHARE * X.shape[0]
    dense, sparse = np.flatnonzero(is_dense), np.flatnonzero(~is_dense)
    D = dense_columns(*arrays, rows, np.where(is_dense, np.cumsum(is_dense) - 1, -1), len(dense))
    found = [_strong(_dense_products(D), dense, dense, np.arange(1, len(dense) + 1), moments, threshold)]
    on_columns(len(dense))
    for first, G, H in _sparse_products(take_columns(X, sparse), rows, D, block_bytes):
        own = sparse[first : first + len(G)]
        found.append(_strong(G, own, sparse, first + 1 + np.arange(len(G)), moments, threshold))
        found.append(_strong(H, own, dense, np.zeros(len(H), np.int64), moments, threshold))
        on_columns(len(G))
    one, other, r = (np.concatenate(part) for part in zip(*found, strict=True))
    left, right = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((right, left))
    return CorrelatedPairs(left[order], right[order], r[order])


@dataclass(frozen=True, slots=True)
class _Moments:
    """Number of rows, and mean and standard deviation of each column over them."""

    n: int
    mean: Floats
    deviation: Floats


def _sparse_products(X: csr_array, rows: Rows, D: Matrix, block_bytes: int) -> Iterator[tuple[int, Floats, Floats]]:
    """The first column of each block of X, and the block's products with all columns of X and with those of D."""
    n_columns, n_dense = X.shape[1], D.shape[1]
    places, row_ends = column_places(X.indptr, X.indices, rows, n_columns), X.indptr[1:][rows]
    n_block = max(1, min(n_columns, block_bytes // (8 * max(1, n_columns + n_dense))))
    for first in range(0, n_columns, n_block):
        n_own = min(n_block, n_columns - first)
        G, H = np.zeros((n_own, n_columns)), np.zeros((n_own, n_dense))
        gram_block(*places, row_ends, X.indices, X.data, first, D, G, H)
        yield first, G, H


def _dense_products(D: Matrix) -> Floats:
    """(n_dense, n_dense) D'D, in float64, a block of rows at a time."""
    products = np.zeros((D.shape[1], D.shape[1]))
    for at in range(0, len(D), _DENSE_ROWS):
        part = D[at : at + _DENSE_ROWS].astype(np.float64)
        products += part.T @ part
    return products


def _strong(
    products: Floats,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    begin: NDArray[np.int64],
    moments: _Moments,
    threshold: float,
) -> Pairs:
    """The strong pairs among the columns `left` and `right` whose products these are. Overwrites `products`."""
    mean, deviation, least = moments.mean, moments.deviation, threshold - _ROUNDING
    strong = np.empty(len(left), np.int64)
    pearson(products, moments.n, mean[left], deviation[left], mean[right], deviation[right], begin, least, strong)
    lines = np.flatnonzero(strong)
    places = [begin[i] + np.flatnonzero(np.abs(products[i, begin[i] :]) >= least) for i in lines]
    line, place = np.repeat(lines, strong[lines]), np.concatenate([np.zeros(0, np.int64), *places])
    return left[line], right[place], np.clip(products[line, place], -1, 1)
