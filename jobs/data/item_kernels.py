# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false
# ruff: noqa: ANN001, ANN201
"""Kernels on the items of sequences, compiled by numba: one pass over them, and no array beside them as long as they.

Row i of a column holds codes[indptr[i]:indptr[i + 1]]; only its last `max_length` items count.
"""

from typing import Any

import numba
import numpy as np

_compile: Any = numba.njit(cache=True, nogil=True)


@_compile
def rows_with_items(indptr, codes, rows, max_length, n_levels):
    """(n_levels,) how many of the rows have each item at least once."""
    counts = np.zeros(n_levels, np.int64)
    seen = np.full(n_levels, -1, np.int64)
    for row in rows:
        for at in range(max(indptr[row], indptr[row + 1] - max_length), indptr[row + 1]):
            if seen[codes[at]] != row:
                seen[codes[at]] = row
                counts[codes[at]] += 1
    return counts


@_compile
def rows_with_any(indptr, codes, rows, max_length, is_meant):
    """How many of the rows have one of the items that are meant, (n_levels,) bool."""
    count = 0
    for row in rows:
        for at in range(max(indptr[row], indptr[row + 1] - max_length), indptr[row + 1]):
            if is_meant[codes[at]]:
                count += 1
                break
    return count


@_compile
def distinct_codes(indptr, codes, max_length, place, n_codes):
    """(n_rows,) how many distinct codes each row has; `place` (n_levels,) gives the code of an item."""
    counts = np.zeros(len(indptr) - 1, np.int64)
    seen = np.full(n_codes, -1, np.int64)
    for row in range(len(indptr) - 1):
        for at in range(max(indptr[row], indptr[row + 1] - max_length), indptr[row + 1]):
            code = place[codes[at]]
            if seen[code] != row:
                seen[code] = row
                counts[row] += 1
    return counts


@_compile
def fill_shares(indptr, codes, max_length, place, n_codes, new_indptr, indices, data):
    """Write each row's distinct codes, ascending, with their shares, and behind them the length at column `n_codes`."""
    counts = np.zeros(n_codes, np.int64)
    for row in range(len(indptr) - 1):
        first, last = max(indptr[row], indptr[row + 1] - max_length), indptr[row + 1]
        if first == last:
            continue
        begin = to = new_indptr[row]
        for at in range(first, last):
            code = place[codes[at]]
            if counts[code] == 0:
                indices[to] = code
                to += 1
            counts[code] += 1
        indices[begin:to].sort()
        for k in range(begin, to):
            data[k] = counts[indices[k]] / (last - first)
            counts[indices[k]] = 0
        indices[to] = n_codes
        data[to] = np.log1p(last - first) / np.log1p(max_length)


@_compile
def last_codes(indptr, codes, place, new_indptr, out):
    """Write the codes of the last items of every row, in order, plus one."""
    for row in range(len(indptr) - 1):
        length = new_indptr[row + 1] - new_indptr[row]
        for k in range(length):
            out[new_indptr[row] + k] = place[codes[indptr[row + 1] - length + k]] + 1
