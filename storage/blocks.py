"""The numeric columns of a wide drop, block by block, on several threads, into compressed pieces."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np
from numpy.typing import NDArray

from storage.decoding import OpenedPart
from storage.footers import PartFooter
from storage.parquet import OpenPart
from storage.pieces import BLOCK_COLUMNS, Piece, Scratch
from storage.store import ObjectInfo

_DECODED_VALUES = 1 << 18  # values decoded at a time: they are scanned while the processor's cache holds them
_OPEN_PARTS = 2  # the next part is begun while the last blocks of one are still under way

_Units = list[tuple[int, list[Future[Piece | None]]]]  # rows of a row group, its blocks


@dataclass(frozen=True, slots=True)
class RowGroupOrder:
    """Where the rows of one row group go.

    Attributes:
        rows: (n,) int64, ascending: the rows of the table that they become.
        rank: (n,) int32: the place of each row in that order.
    """

    rows: NDArray[np.int64]
    rank: NDArray[np.int32]


def order_row_groups(order: NDArray[np.int64], sizes: Sequence[int]) -> list[RowGroupOrder]:
    """Cut the order of all rows into that of each row group.

    Args:
        order: (n_rows,) the row of the drop that each row of the table comes from.
        sizes: rows of each row group; their sum is n_rows.
    """
    places = np.empty_like(order)
    places[order] = np.arange(order.size)
    groups: list[RowGroupOrder] = []
    for rows in np.split(places, np.cumsum(sizes)[:-1]) if len(sizes) else []:
        local = np.argsort(rows)
        rank = np.empty(rows.size, np.int32)
        rank[local] = np.arange(rows.size, dtype=np.int32)
        groups.append(RowGroupOrder(rows[local], rank))
    return groups


class BlockReader:
    """Reads every block of every row group once.

    Args:
        names: the numeric columns, sorted.
        orders: of all row groups, part by part.
        threads: how many decode at a time.
        on_rows: called with the rows of each row group that is done.
    """

    def __init__(
        self, names: Sequence[str], orders: Sequence[RowGroupOrder], threads: int, on_rows: Callable[[int], None]
    ) -> None:
        self._blocks = [names[k : k + BLOCK_COLUMNS] for k in range(0, len(names), BLOCK_COLUMNS)]
        self._orders = orders
        self._threads = threads
        self._on_rows = on_rows
        self._of_thread = threading.local()
        self._pieces: list[Piece] = []

    def read(self, parts: Sequence[tuple[ObjectInfo, PartFooter]], open_part: OpenPart) -> list[Piece]:
        """Return the pieces of all parts.

        Raises:
            CorruptObject: a page cannot be decoded.
        """
        under_way: deque[tuple[ExitStack, _Units]] = deque()
        first_group = 0
        # The pool ends before the files close, whatever happens; what has not begun by then never does.
        with ExitStack() as files, ThreadPoolExecutor(self._threads) as pool:
            try:
                for info, footer in parts:
                    closing = files.enter_context(ExitStack())
                    part = closing.enter_context(OpenedPart(footer, closing.enter_context(open_part(info))))
                    under_way.append((closing, self._submit(pool, part, first_group)))
                    first_group += len(footer.row_groups)
                    if len(under_way) == _OPEN_PARTS:
                        self._finish(*under_way.popleft())
                while under_way:
                    self._finish(*under_way.popleft())
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return self._pieces

    def _submit(self, pool: ThreadPoolExecutor, part: OpenedPart, first_group: int) -> _Units:
        positions = {name: k for k, name in enumerate(part.footer.leaves)}
        return [
            (rows, [pool.submit(self._gather, part, positions, first_group, g, b) for b in range(len(self._blocks))])
            for g, rows in enumerate(part.footer.row_groups)
        ]

    def _finish(self, closing: ExitStack, units: _Units) -> None:
        for rows, blocks in units:
            self._pieces.extend(piece for block in blocks if (piece := block.result()) is not None)
            self._on_rows(rows)
        closing.close()

    def _gather(
        self, part: OpenedPart, positions: dict[str, int], first_group: int, group: int, block: int
    ) -> Piece | None:
        scratch = self._scratch()
        scratch.begin(self._orders[first_group + group].rank)
        names = self._blocks[block]
        bounds = part.footer.facts.nonzeros_at_most[group]
        step = min(max(1, _DECODED_VALUES // max(1, part.footer.row_groups[group])), len(names))
        for k in range(0, len(names), step):
            some = names[k : k + step]
            wanted = [name for name in some if bounds[positions[name]]]
            columns = iter(part.decode_in_order(group, wanted))
            for empty, run in groupby(some, key=lambda name: not bounds[positions[name]]):
                n = len(list(run))
                if empty:
                    scratch.add_nothing(n)
                else:
                    scratch.add_columns(list(islice(columns, n)))
        return scratch.finish(first_group + group, block)

    def _scratch(self) -> Scratch:
        scratch: Scratch | None = getattr(self._of_thread, "scratch", None)
        if scratch is None:
            scratch = self._of_thread.scratch = Scratch()
        return scratch
