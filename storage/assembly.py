"""Pieces of a drop into one CSR matrix, allocated once at its exact size, filled in the order of rows.

Rows are done in bands. Of every piece a band needs one contiguous stretch, and when the band is full those pages are
given back; so while the matrix grows the pieces shrink, and no second copy of the table ever exists.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from storage.kernels import add_counts, place
from storage.pieces import BLOCK_COLUMNS, Piece

_BANDS = 32  # the pieces of one band are the only overlap of both forms: 5/8 of 1/32 of the matrix


def assemble(
    pieces: Sequence[Piece], rows: Sequence[NDArray[np.int64]], shape: tuple[int, int], threads: int
) -> csr_array:
    """Fill the matrix and use the pieces up.

    Args:
        pieces: in any order.
        rows: by row group, the ascending rows of the table that its rows become.
        shape: (n_rows, n_columns).
        threads: how many fill a band.

    Returns:
        (n_rows, n_columns) CSR: float32 data, int32 indices ascending within each row.
    """
    ordered = sorted(pieces, key=lambda piece: (piece.block, piece.group))
    indptr = _row_starts(ordered, rows, shape[0])
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    edges = np.linspace(0, shape[0], _BANDS * threads + 1).astype(np.int64)
    stretches = [_Stretches(piece, rows[piece.group], edges) for piece in ordered]

    def fill(stripe: int) -> None:
        first, last = edges[stripe], edges[stripe + 1]
        cursor = indptr[first:last].copy()
        for stretch in stretches:
            stretch.place(stripe, int(first), cursor, indices, data)

    with ThreadPoolExecutor(threads) as pool:
        for band in range(0, _BANDS * threads, threads):
            list(pool.map(fill, range(band, band + threads)))
            for stretch in stretches:
                stretch.release(band, band + threads)
    return _matrix(data, indices, indptr, shape)


def _row_starts(pieces: Sequence[Piece], rows: Sequence[NDArray[np.int64]], n_rows: int) -> NDArray[np.int64]:
    indptr = np.zeros(n_rows + 1, np.int64)
    for piece in pieces:
        add_counts(piece.counts, rows[piece.group], indptr[1:])
    return np.cumsum(indptr, out=indptr)


def _matrix(
    data: NDArray[np.float32], indices: NDArray[np.int32], indptr: NDArray[np.int64], shape: tuple[int, int]
) -> csr_array:
    # scipy wants one type for both index arrays: the small one while the non-zeros can be counted with it.
    starts = indptr.astype(np.int32) if indptr[-1] <= np.iinfo(np.int32).max else indptr
    matrix = csr_array((data, indices, starts), shape=shape)
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix


class _Stretches:
    """Where each stripe of rows begins in one piece."""

    def __init__(self, piece: Piece, rows: NDArray[np.int64], edges: NDArray[np.int64]) -> None:
        self._piece = piece
        self._rows = rows
        bounds = np.searchsorted(rows, edges)
        sums = [int(piece.counts[a:b].sum(dtype=np.int64)) for a, b in pairwise(bounds)]
        self._bounds: list[int] = bounds.tolist()
        self._starts: list[int] = np.concatenate([[0], np.cumsum(sums)]).tolist()

    def place(
        self,
        stripe: int,
        first_row: int,
        cursor: NDArray[np.int64],
        indices: NDArray[np.int32],
        data: NDArray[np.float32],
    ) -> None:
        a, b = self._bounds[stripe], self._bounds[stripe + 1]
        start = self._starts[stripe]
        if self._starts[stripe + 1] == start:
            return
        piece, first_column = self._piece, self._piece.block * BLOCK_COLUMNS
        counts, rows = piece.counts[a:b], self._rows[a:b]
        place(
            counts, rows, piece.columns.array, piece.values.array, start, first_row, first_column, cursor, indices, data
        )

    def release(self, first: int, last: int) -> None:
        self._piece.release(self._starts[first], self._starts[last])
