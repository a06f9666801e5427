# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false, reportCallIssue=false
# ruff: noqa: ANN001, ANN202
"""Compiled loops over raw buffers: non-zeros out of decoded columns, blocks into rows, blocks into one CSR.

numba is untyped: its kernels stand here alone (with those of `entries`), each behind a typed function.
Every kernel releases the GIL, and none checks bounds: the callers own the shapes.
Buffers of Arrow come as addresses. As arrays they would be read-only, and numba spends longer on finding out the type
of a read-only array than on a column of 5,000 values.
"""

from typing import Any

import numba
import numpy as np
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

_kernel: Any = numba.njit(nogil=True, cache=True)


@intrinsic
def _pointer(_context, address):
    def generate(_generation, builder, _signature, arguments):
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


@_kernel
def _keep_run(start, stop, values, validity, offset, rank, counts, places, kept, end):
    for i in range(start, stop):
        # Through float64, so that a wide drop and the sums of a long one round in the same way.
        value = np.float32(np.float64(values[i]))
        if value != 0:
            bit = i + offset
            if validity.size == 0 or (validity[bit >> 3] >> (bit & 7)) & 1:
                place = rank[i]
                places[end] = place
                kept[end] = value
                counts[place] += np.uint8(1)
                end += 1
    return end


@_kernel
def _keep_column(values, words, validity, offset, rank, counts, places, kept, end):
    n_values = 64 // values.itemsize  # of a cache line
    n_lines = values.size // n_values
    for line in range(n_lines):
        w = 8 * line
        ored = words[w] | words[w + 1] | words[w + 2] | words[w + 3]
        ored |= words[w + 4] | words[w + 5] | words[w + 6] | words[w + 7]
        if ored != 0:
            first = line * n_values
            end = _keep_run(first, first + n_values, values, validity, offset, rank, counts, places, kept, end)
    return _keep_run(n_lines * n_values, values.size, values, validity, offset, rank, counts, places, kept, end)


@_kernel
def _keep_nonzeros(addresses, bitmaps, offsets, sample, rank, counts, places, kept, end, ends):
    n = rank.size
    for column in range(addresses.size):
        values = carray(_pointer(addresses[column]), n, sample.dtype)
        words = carray(_pointer(addresses[column]), n * sample.itemsize // 8, np.uint64)
        n_bytes = (offsets[column] + n + 7) // 8 if bitmaps[column] else 0
        validity = carray(_pointer(bitmaps[column]), n_bytes, np.uint8)
        end = _keep_column(values, words, validity, offsets[column], rank, counts, places, kept, end)
        ends[column] = end


def keep_nonzeros(
    addresses: NDArray[np.int64],
    bitmaps: NDArray[np.int64],
    offsets: NDArray[np.int64],
    sample: NDArray[Any],
    rank: NDArray[np.int32],
    counts: NDArray[np.uint8],
    places: NDArray[np.int32],
    kept: NDArray[np.float32],
    end: int,
    ends: NDArray[np.int64],
) -> None:
    """Append the non-zeros of decoded columns to `places` and `kept`; count them by row.

    Zeros are passed over a cache line at a time; whether a slot is null is looked up only where it is not zero.

    Args:
        addresses: (n_columns,) of each column's n_rows values; the caller keeps them alive.
        bitmaps: (n_columns,) address of each column's Arrow validity bitmap, 0 where nothing is null.
        offsets: (n_columns,) bits before the first row in each bitmap.
        sample: any array of the values' type: int32, int64, float32 or float64.
        rank: (n_rows,) the place of each row in the order of ids, within its row group.
        counts: (n_rows,) non-zeros of the block by place, added to.
        places: where to write places, with room for n_columns * n_rows after `end`.
        kept: where to write values.
        end: how many entries are written already.
        ends: (n_columns,) written: how many there are after each column.
    """
    _keep_nonzeros(addresses, bitmaps, offsets, sample, rank, counts, places, kept, end, ends)


@_kernel
def _turn_to_rows(places, kept, column_ends, counts, columns, values):
    cursor = np.empty(counts.size, np.int64)
    total = 0
    for row in range(counts.size):
        cursor[row] = total
        total += counts[row]
    start = 0
    for column in range(column_ends.size):
        for entry in range(start, column_ends[column]):
            to = cursor[places[entry]]
            cursor[places[entry]] = to + 1
            columns[to] = column
            values[to] = kept[entry]
        start = column_ends[column]


def turn_to_rows(
    places: NDArray[np.int32],
    kept: NDArray[np.float32],
    column_ends: NDArray[np.int64],
    counts: NDArray[np.uint8],
    columns: NDArray[np.uint8],
    values: NDArray[np.float32],
) -> None:
    """Write a block's entries, which come column by column, row by row (CSC to CSR), columns ascending in a row.

    Args:
        places: (nnz,) row of each entry.
        kept: (nnz,) value of each entry.
        column_ends: (n_columns,) end of each column's entries; at most 255 columns.
        counts: (n_rows,) entries of each row.
        columns: (nnz,) written: the column of each entry within the block.
        values: (nnz,) written.
    """
    _turn_to_rows(places, kept, column_ends, counts, columns, values)


@_kernel
def _add_counts(counts, rows, row_nnz):
    for i in range(counts.size):
        row_nnz[rows[i]] += counts[i]


def add_counts(counts: NDArray[np.uint8], rows: NDArray[np.int64], row_nnz: NDArray[np.int64]) -> None:
    """Add a piece's entries by row to the table's: row_nnz[rows[i]] += counts[i]."""
    _add_counts(counts, rows, row_nnz)


@_kernel
def _place(counts, rows, columns, values, start, first_row, first_column, cursor, indices, data):
    entry = start
    for i in range(counts.size):
        n = counts[i]
        if n:
            to = cursor[rows[i] - first_row]
            cursor[rows[i] - first_row] = to + n
            for k in range(n):
                indices[to + k] = first_column + columns[entry + k]
                data[to + k] = values[entry + k]
            entry += n


def place(
    counts: NDArray[np.uint8],
    rows: NDArray[np.int64],
    columns: NDArray[np.uint8],
    values: NDArray[np.float32],
    start: int,
    first_row: int,
    first_column: int,
    cursor: NDArray[np.int64],
    indices: NDArray[np.int32],
    data: NDArray[np.float32],
) -> None:
    """Copy a band of one piece into the CSR arrays, each row at its cursor.

    Args:
        counts: (n,) entries of the piece by row, in the band.
        rows: (n,) row of the table of each.
        columns: (piece_nnz,) column within the block.
        values: (piece_nnz,) float32.
        start: the piece's entry with which the band begins.
        first_row: of the band; cursor[0] belongs to it.
        first_column: of the block.
        cursor: (band_rows,) where each row's next entry goes; moved on.
        indices: (nnz,) of the table.
        data: (nnz,) of the table.
    """
    _place(counts, rows, columns, values, start, first_row, first_column, cursor, indices, data)
