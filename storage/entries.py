# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false
# ruff: noqa: ANN001, ANN202
"""Entries in any order, pairs repeated, into CSR: two counting sorts, then equal pairs summed.

The sum of equal pairs is taken in the order of their values, in float64: it depends on the entries alone, not on the
order in which parts were read.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

_kernel: Any = numba.njit(nogil=True, cache=True)


@_kernel
def _starts(codes, n):
    starts = np.zeros(n + 1, np.int64)
    for i in range(codes.size):
        starts[codes[i] + 1] += 1
    for k in range(n):
        starts[k + 1] += starts[k]
    return starts


@_kernel
def _sort(codes, others, values, starts, others_out, values_out):
    cursor = starts.copy()
    for i in range(codes.size):
        to = cursor[codes[i]]
        cursor[codes[i]] = to + 1
        others_out[to] = others[i]
        values_out[to] = values[i]


@_kernel
def _turn(rows, values, column_starts, row_starts, columns_out, values_out):
    cursor = row_starts.copy()
    for column in range(column_starts.size - 1):
        for i in range(column_starts[column], column_starts[column + 1]):
            to = cursor[rows[i]]
            cursor[rows[i]] = to + 1
            columns_out[to] = column
            values_out[to] = values[i]


@_kernel
def _sum_equal(columns, values, starts, sums):
    end = 0
    for row in range(starts.size - 1):
        i, stop = starts[row], starts[row + 1]
        starts[row] = end
        while i < stop:
            last = i + 1
            while last < stop and columns[last] == columns[i]:
                last += 1
            if last - i > 2:
                values[i:last] = np.sort(values[i:last])
            total = 0.0
            for k in range(i, last):
                total += values[k]
            if np.float32(total) != 0:
                columns[end] = columns[i]
                sums[end] = total
                end += 1
            i = last
    starts[starts.size - 1] = end
    return end


def sum_entries(
    rows: NDArray[np.int32], columns: NDArray[np.int32], values: NDArray[np.float64], shape: tuple[int, int]
) -> csr_array:
    """Return the sum of the entries of each (row, column) as CSR, float32, without zeros.

    Args:
        rows: (n,) row of each entry.
        columns: (n,) its column.
        values: (n,) its value; NaN and infinities count as they do in a sum.
        shape: (n_rows, n_columns).

    Complexity: O(n + n_rows + n_columns), and 24 bytes of memory per entry besides the arguments.
    """
    column_starts, row_starts = _starts(columns, shape[1]), _starts(rows, shape[0])
    by_column, between = np.empty_like(rows), np.empty_like(values)
    _sort(columns, rows, values, column_starts, by_column, between)
    by_row, sorted_values = np.empty_like(columns), np.empty_like(values)
    _turn(by_column, between, column_starts, row_starts, by_row, sorted_values)
    del by_column, between
    sums = np.empty(rows.size, np.float32)
    end = int(_sum_equal(by_row, sorted_values, row_starts, sums))
    starts = row_starts.astype(np.int32) if end <= np.iinfo(np.int32).max else row_starts
    matrix = csr_array((sums[:end].copy(), by_row[:end].copy(), starts), shape=shape)
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix
