# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false
# ruff: noqa: ANN001, ANN201
"""Fourfold tables of all pairs of columns, compiled by numba.

Dense references stand in tests/jobs/selection/. Work is cut by column, never by thread: results do not depend on the
number of threads.
"""

from typing import Any

import numba
import numpy as np
from numba import prange

_compile: Any = numba.njit(cache=True, nogil=True, error_model="numpy")
_compile_parallel: Any = numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy")


@_compile
def happenings(indptr, indices, data, rows, threshold, side):
    """CSR arrays (indptr, indices) of `rows`: where a value, times its column's side, exceeds the threshold. Sorted."""
    starts = np.zeros(len(rows) + 1, np.int64)
    for i in range(len(rows)):
        starts[i + 1] = starts[i]
        for at in range(indptr[rows[i]], indptr[rows[i] + 1]):
            starts[i + 1] += data[at] * side[indices[at]] > threshold[indices[at]]
    places = np.empty(starts[-1], np.int32)
    to = 0
    for i in range(len(rows)):
        for at in range(indptr[rows[i]], indptr[rows[i] + 1]):
            if data[at] * side[indices[at]] > threshold[indices[at]]:
                places[to] = indices[at]
                to += 1
    return starts, places


@_compile
def rows_by_column(indptr, indices, n_columns):
    """(starts, row): rows starts[j]:starts[j + 1] of `row` have column j, ascending."""
    starts = np.zeros(n_columns + 1, np.int64)
    for column in indices:
        starts[column + 1] += 1
    for column in range(n_columns):
        starts[column + 1] += starts[column]
    row = np.empty(len(indices), np.int32)
    to = starts[:-1].copy()
    for i in range(len(indptr) - 1):
        for at in range(indptr[i], indptr[i + 1]):
            row[to[indices[at]]] = i
            to[indices[at]] += 1
    return starts, row


@_compile_parallel
def own_sums(starts, row, r, h, out):
    """out[j] = sums of r and of h over the rows of column j. out (n_columns, 2)."""
    for j in prange(len(starts) - 1):
        out[j] = 0
        for place in range(starts[j], starts[j + 1]):
            out[j, 0] += r[row[place]]
            out[j, 1] += h[row[place]]


@_compile_parallel
def joint_sums(starts, row, indptr, indices, r, h, first, R, H):
    """Sums of r and of h over the rows that have both the block's column j = first, first + 1, ... and column k > j.

    Rows starts[j]:starts[j + 1] of `row` have column j; indptr, indices: the columns of each row, sorted. R, H:
    (n_block, n_columns), zero on entry.
    """
    for local in prange(R.shape[0]):
        column = first + local
        for place in range(starts[column], starts[column + 1]):
            i = row[place]
            for at in range(indptr[i + 1] - 1, indptr[i] - 1, -1):
                if indices[at] <= column:
                    break
                R[local, indices[at]] += r[i]
                H[local, indices[at]] += h[i]


@_compile_parallel
def interaction_contrasts(R, H, first, own_r, own_h, total_r, total_h, least, z):
    """Z of the interaction in each fourfold table of two columns, given both columns; 0 where a cell is too small.

    With N the sum of h and S the sum of r in each cell, S / N estimates the logit that is missing there, with variance
    1 / N: z = (S11/N11 - S10/N10 - S01/N01 + S00/N00) / sqrt(1/N11 + 1/N10 + 1/N01 + 1/N00).
    """
    for local in prange(R.shape[0]):
        j = first + local
        for k in range(R.shape[1]):
            z[local, k] = 0
            if k <= j:
                continue
            n11, s11 = H[local, k], R[local, k]
            n10, n01 = own_h[j] - n11, own_h[k] - n11
            n00 = total_h - own_h[j] - own_h[k] + n11
            if min(n11, n10, n01, n00) < least:
                continue
            s10, s01 = own_r[j] - s11, own_r[k] - s11
            s00 = total_r - own_r[j] - own_r[k] + s11
            z[local, k] = (s11 / n11 - s10 / n10 - s01 / n01 + s00 / n00) / np.sqrt(
                1 / n11 + 1 / n10 + 1 / n01 + 1 / n00
            )
