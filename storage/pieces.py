"""One row group x one block of columns as compressed rows: 5 bytes per non-zero, given back page by page.

The pieces of a drop are turned into its CSR arrays in the order of rows, so what a piece still needs shrinks from its
beginning. Memory from malloc could only be given back piece by piece, when the whole of the result has been touched;
anonymous pages are given back as the cursor passes them. Pieces and result together never exceed the larger of both.
"""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.arrow import Array, Column, Kind, arrow
from storage.carried import joined
from storage.kernels import keep_nonzeros, turn_to_rows

BLOCK_COLUMNS = 255  # so that a column within its block, and a row's count of them, are one byte each
_ARENA_BYTES = 16 << 20

# The kernel is compiled for four types; the others are cast to one that holds them.
_DECODED: dict[Kind, Kind] = {
    arrow.bool_(): arrow.int32(),
    arrow.int8(): arrow.int32(),
    arrow.int16(): arrow.int32(),
    arrow.uint8(): arrow.int32(),
    arrow.uint16(): arrow.int32(),
    arrow.uint32(): arrow.int64(),
    arrow.int32(): arrow.int32(),
    arrow.int64(): arrow.int64(),
    arrow.float32(): arrow.float32(),
    arrow.float64(): arrow.float64(),
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """An array in an arena, beginning on a page of its own.

    Attributes:
        array: (n,) what is in it.
        memory: the mapping it lies in.
        at: where it begins there, in bytes.
    """

    array: NDArray[Any]
    memory: mmap.mmap
    at: int

    def release(self, start: int, stop: int) -> None:
        """Give back the pages of elements before `stop`; those before `start` are no longer needed either.

        Both ends are rounded down: the page in which `stop` lies is still wanted, the one in which `start` lies is
        what the last call left.
        """
        size = self.array.itemsize
        first, last = ((self.at + size * k) // mmap.PAGESIZE * mmap.PAGESIZE for k in (start, stop))
        if last > first and hasattr(mmap, "MADV_DONTNEED"):
            self.memory.madvise(mmap.MADV_DONTNEED, first, last - first)


def _anonymous(n_bytes: int) -> mmap.mmap:
    # Private: pages of a shared mapping, Python's default, are never given back while it exists.
    if hasattr(mmap, "MAP_ANONYMOUS"):
        return mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return mmap.mmap(-1, n_bytes)


@dataclass(frozen=True, slots=True)
class Piece:
    """The non-zeros of one row group in one block of columns, row by row in the order of ids.

    Attributes:
        group: which row group of the drop.
        block: which block of columns.
        counts: (n_rows,) uint8.
        columns: (nnz,) uint8, ascending within a row, counted from the block's first.
        values: (nnz,) float32.
    """

    group: int
    block: int
    counts: NDArray[np.uint8]
    columns: Stretch
    values: Stretch

    def release(self, start: int, stop: int) -> None:
        """Give back the pages of entries before `stop`, those before `start` having been given back already."""
        self.columns.release(start, stop)
        self.values.release(start, stop)


class Arena:
    """Anonymous memory handed out in order, never taken back as a whole: pages nobody touched cost nothing."""

    def __init__(self) -> None:
        self._memory = _anonymous(_ARENA_BYTES)
        self._used = 0

    def take(self, n: int, dtype: type[np.generic]) -> Stretch:
        """Return room for `n` elements."""
        n_bytes = n * np.dtype(dtype).itemsize
        if self._used + n_bytes > len(self._memory):
            self._memory, self._used = _anonymous(max(_ARENA_BYTES, n_bytes)), 0
        at = self._used
        self._used = -(-(at + n_bytes) // mmap.PAGESIZE) * mmap.PAGESIZE
        return Stretch(np.frombuffer(self._memory, dtype, n, at), self._memory, at)


class Scratch:
    """Where one thread gathers the non-zeros of one block, column by column, before they are turned to rows."""

    def __init__(self) -> None:
        self.arena = Arena()
        self._places = np.empty(1 << 16, np.int32)
        self._kept = np.empty(1 << 16, np.float32)
        self.begin(np.empty(0, np.int32))

    def begin(self, rank: NDArray[np.int32]) -> None:
        """Start a block of the row group whose rows have these places in the order of ids."""
        self._rank = rank
        self._counts = np.zeros(rank.size, np.uint8)
        self._ends: list[int] = []
        self._end = 0

    def add_nothing(self, n_columns: int) -> None:
        """Add columns without non-zeros."""
        self._ends.extend([self._end] * n_columns)

    def add_columns(self, columns: Sequence[Column]) -> None:
        """Add decoded columns; the length of each is that of the row group."""
        arrays = [_decoded(column) for column in columns]
        self._make_room(len(arrays) * self._rank.size)
        for kind, alike in groupby(arrays, key=lambda array: array.type):
            self._add_alike(list(alike), np.empty(0, kind.to_pandas_dtype()))

    def _add_alike(self, arrays: Sequence[Array], sample: NDArray[Any]) -> None:
        addresses, bitmaps, offsets, ends = np.zeros((4, len(arrays)), np.int64)
        for k, array in enumerate(arrays):
            bitmap, data = array.buffers()
            addresses[k] = data.address + array.offset * sample.itemsize
            bitmaps[k] = bitmap.address if bitmap is not None else 0
            offsets[k] = array.offset
        places, kept = self._places, self._kept
        keep_nonzeros(addresses, bitmaps, offsets, sample, self._rank, self._counts, places, kept, self._end, ends)
        self._ends.extend(ends.tolist())
        self._end = self._ends[-1]

    def _make_room(self, n: int) -> None:
        if self._end + n > self._places.size:
            size = max(self._end + n, self._places.size * 2)
            self._places, self._kept = (_grown(array, self._end, size) for array in (self._places, self._kept))

    def finish(self, group: int, block: int) -> Piece | None:
        """Return the block as a piece, or None when it holds nothing."""
        n = self._end
        if n == 0:
            return None
        values, columns = self.arena.take(n, np.float32), self.arena.take(n, np.uint8)
        ends = np.array(self._ends, np.int64)
        turn_to_rows(self._places[:n], self._kept[:n], ends, self._counts, columns.array, values.array)
        return Piece(group, block, self._counts, columns, values)


def _grown(array: NDArray[Any], used: int, size: int) -> NDArray[Any]:
    grown = np.empty(size, array.dtype)
    grown[:used] = array[:used]
    return grown


def _decoded(column: Column) -> Array:
    """Return a column as one array of a type that the kernel knows; where Arrow decoded it, if it can be."""
    array = column.chunk(0) if column.num_chunks == 1 else joined(column)
    kind = _DECODED.get(array.type, arrow.float64())
    return array if array.type == kind else array.cast(kind, safe=False)
