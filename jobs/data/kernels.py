# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false
# ruff: noqa: ANN001, ANN201, ANN202
"""Sparse kernels on CSR arrays, compiled by numba.

Each has a dense float64 reference in tests/jobs/data/test_kernels.py. Results do not depend on the number of threads:
work is cut into pieces by column, never by thread, and every sum is accumulated in one fixed order, in float64.
"""

from typing import Any

import numba
import numpy as np
from numba import prange

_compile: Any = numba.njit(cache=True, nogil=True)
_compile_parallel: Any = numba.njit(cache=True, nogil=True, parallel=True)


def narrow(indptr: np.ndarray) -> np.ndarray:
    """As int32, where all entries can be counted with it: of int64 scipy would make the indices int64 too."""
    return indptr.astype(np.int32) if indptr[-1] <= np.iinfo(np.int32).max else indptr


@_compile
def column_extremes(indptr, indices, data, rows, n_columns):
    """Minimum, maximum (zeros included) and number of non-zeros of each column over `rows`. O(nnz)."""
    low = np.zeros(n_columns, np.float32)
    high = np.zeros(n_columns, np.float32)
    count = np.zeros(n_columns, np.int64)
    first = np.ones(n_columns, np.bool_)
    for row in rows:
        for at in range(indptr[row], indptr[row + 1]):
            column = indices[at]
            value = data[at]
            if first[column]:
                low[column] = value
                high[column] = value
                first[column] = False
            low[column] = min(low[column], value)
            high[column] = max(high[column], value)
            count[column] += 1
    for column in range(n_columns):
        if count[column] < len(rows):
            low[column] = min(low[column], np.float32(0))
            high[column] = max(high[column], np.float32(0))
    return low, high, count


@_compile_parallel
def rescale(indices, data, shift, factor, log1p, out):
    """Scale every entry: (c(x) - shift) factor of its column, in float64; c is sign(x) log(1 + |x|) if `log1p`."""
    for at in prange(len(data)):
        value = np.float64(data[at])
        if log1p:
            value = np.copysign(np.log1p(abs(value)), value)
        out[at] = (value - shift[indices[at]]) * factor[indices[at]]


@_compile
def column_moments(indptr, indices, data, rows, n_columns):
    """Sum and sum of squares of each column over `rows`, float64. O(nnz)."""
    sums = np.zeros(n_columns, np.float64)
    squares = np.zeros(n_columns, np.float64)
    for row in rows:
        for at in range(indptr[row], indptr[row + 1]):
            value = np.float64(data[at])
            sums[indices[at]] += value
            squares[indices[at]] += value * value
    return sums, squares


@_compile
def weighted_column_sums(indptr, indices, data, rows, weight, n_columns):
    """Sum of each column over `rows`, each row `weight` times, float64; weight is by row of the array. O(nnz)."""
    sums = np.zeros(n_columns, np.float64)
    for row in rows:
        for at in range(indptr[row], indptr[row + 1]):
            sums[indices[at]] += np.float64(weight[row]) * data[at]
    return sums


@_compile
def dense_columns(indptr, indices, data, rows, position, n_wanted):
    """(len(rows), n_wanted) float32: the columns whose `position` is not negative, each at its position. O(nnz)."""
    out = np.zeros((len(rows), n_wanted), np.float32)
    for i in range(len(rows)):
        for at in range(indptr[rows[i]], indptr[rows[i] + 1]):
            place = position[indices[at]]
            if place >= 0:
                out[i, place] = data[at]
    return out


@_compile
def column_counts(indices, n_columns):
    """Number of entries of each column. O(nnz)."""
    count = np.zeros(n_columns, np.int64)
    for column in indices:
        count[column] += 1
    return count


@_compile
def select_columns(indptr, indices, data, position):
    """CSR arrays of the columns whose `position` is not negative, moved to that (increasing) position. O(nnz)."""
    kept = 0
    for at in range(len(indices)):
        kept += position[indices[at]] >= 0
    new_indptr = np.zeros(len(indptr), indptr.dtype)  # int64 here would make scipy widen the indices too
    new_indices = np.empty(kept, np.int32)
    new_data = np.empty(kept, np.float32)
    to = 0
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1]):
            column = position[indices[at]]
            if column >= 0:
                new_indices[to] = column
                new_data[to] = data[at]
                to += 1
        new_indptr[row + 1] = to
    return new_indptr, new_indices, new_data


@_compile
def add_block(indptr, indices, data, first, new_indptr, filled, new_indices, new_data):
    """Write the rows of a matrix behind what is `filled` of each row of a wider one, as its columns from `first` on."""
    for row in range(len(indptr) - 1):
        to = new_indptr[row] + filled[row]
        for at in range(indptr[row], indptr[row + 1]):
            new_indices[to] = indices[at] + first
            new_data[to] = data[at]
            to += 1
        filled[row] += indptr[row + 1] - indptr[row]


@_compile
def column_places(indptr, indices, rows, n_columns):
    """The entries of each column over `rows`: (starts, entry, row), sorted by column, then as in `rows`.

    Entries `starts[j]:starts[j + 1]` belong to column j; `entry` addresses the CSR arrays, `row` counts within `rows`.
    """
    starts = np.zeros(n_columns + 1, np.int64)
    for row in rows:
        for at in range(indptr[row], indptr[row + 1]):
            starts[indices[at] + 1] += 1
    for column in range(n_columns):
        starts[column + 1] += starts[column]
    entry = np.empty(starts[-1], indptr.dtype)
    number = np.empty(starts[-1], np.int32)
    to = starts[:-1].copy()
    for i in range(len(rows)):
        for at in range(indptr[rows[i]], indptr[rows[i] + 1]):
            column = indices[at]
            entry[to[column]] = at
            number[to[column]] = i
            to[column] += 1
    return starts, entry, number


@_compile_parallel
def gram_block(starts, entry, number, row_ends, indices, data, first, D, G, H):
    """Products of the block's columns j = first, first + 1, ... with all later columns of X, and with those of D.

    G[j - first, k] = sum over rows of X[row, j] X[row, k] for k >= j
    H[j - first, k] = sum over rows of X[row, j] D[row, k]

    Entries of a row are sorted by column, so only those behind the one at hand can have k >= j: no product is made
    twice. row_ends: (n_rows_used,) where each used row ends; D: (n_rows_used, n_dense) float32; G: (n_block, n_columns)
    and H: (n_block, n_dense) float64, zero on entry.
    """
    for local in prange(G.shape[0]):
        column = first + local
        sums, beside = G[local], H[local]
        for place in range(starts[column], starts[column + 1]):
            at = entry[place]
            value = np.float64(data[at])
            for other in range(at, row_ends[number[place]]):
                sums[indices[other]] += value * data[other]
            row = D[number[place]]
            for k in range(len(row)):
                beside[k] += value * row[k]


@_compile_parallel
def pearson(products, n, mean_left, deviation_left, mean_right, deviation_right, begin, threshold, strong):
    """Turn sums of products into correlations, in place, and count the strong ones of each line.

    Line i of `products`, (n_left, n_right) float64, belongs to a column with mean_left[i]; only places from begin[i] on
    are meant. strong: (n_left,) how many of these are at least `threshold` in absolute value.
    """
    for i in prange(products.shape[0]):
        strong[i] = 0
        for k in range(begin[i], products.shape[1]):
            spread = deviation_left[i] * deviation_right[k]
            r = (products[i, k] / n - mean_left[i] * mean_right[k]) / spread if spread > 0 else 0.0
            products[i, k] = r
            strong[i] += abs(r) >= threshold


@_compile
def _place_between(x, knots):
    """The knot at or below x, and how far x is from it to the next, 0..1; beyond the last knot, that one and 0."""
    if x <= knots[0]:
        return 0, np.float32(0)
    low, high = 0, len(knots)
    while high - low > 1:
        middle = (low + high) // 2
        if knots[middle] <= x:
            low = middle
        else:
            high = middle
    if low == len(knots) - 1:
        return low, np.float32(0)
    return low, (x - knots[low]) / (knots[low + 1] - knots[low])


@_compile_parallel
def bent_lengths(indptr, indices, data, starts, knots):
    """(n_rows,) entries of each row once it is bent: each value, and its place between one or two knots."""
    out = np.zeros(len(indptr) - 1, np.int64)
    for row in prange(len(out)):
        for at in range(indptr[row], indptr[row + 1]):
            out[row] += 1
            own = knots[starts[indices[at]] : starts[indices[at] + 1]]
            if len(own) and data[at] != 0:
                out[row] += 1 + (_place_between(data[at], own)[1] > 0)
    return out


@_compile_parallel
def bend_rows(indptr, indices, data, starts, knots, first, new_indptr, new_indices, new_data):
    """Fill the rows that `bent_lengths` counted: the value of column j at code first[j], its hats behind it."""
    for row in prange(len(indptr) - 1):
        to = new_indptr[row]
        for at in range(indptr[row], indptr[row + 1]):
            column, x = indices[at], data[at]
            new_indices[to], new_data[to] = first[column], x
            to += 1
            own = knots[starts[column] : starts[column + 1]]
            if len(own) and x != 0:
                low, share = _place_between(x, own)
                new_indices[to], new_data[to] = first[column] + 1 + low, 1 - share
                to += 1
                if share > 0:
                    new_indices[to], new_data[to] = first[column] + 2 + low, share
                    to += 1
