"""One opened part: columns of its row groups, decoded by several threads.

pyarrow's ParquetFile is not safe to share (two threads in one of them hang or raise), so every thread gets a reader of
its own over the one file (see sharing).
Columns are asked for by the number of their leaf: by name, "a" would also bring "a.b".
"""

import threading
from collections.abc import Sequence
from typing import BinaryIO, Self

from storage.arrow import Column, Frame, Kind, ParquetFile, arrow, compute, kinds, parquet
from storage.errors import CorruptObject, SchemaConflict
from storage.footers import PartFooter
from storage.parquet import DropSchema, translated
from storage.plan import ReadPlan
from storage.sequences import Items, items_of
from storage.sharing import SharedFile
from storage.widening import is_numeric

MOST_TEXT_BYTES = 2**31 - 1  # of one column in one row group; what is carried is short, and Arrow has no longer text
_BYTES_OF_PLAIN_TEXT = 8  # a row that takes less is a number in a dictionary


class OpenedPart:
    """A part whose file is open.

    Args:
        footer: of this part.
        file: open for random access until the context ends.
    """

    def __init__(self, footer: PartFooter, file: BinaryIO) -> None:
        self.footer = footer
        self._file = SharedFile(file)
        self._of_thread = threading.local()
        with translated(footer.key):
            self._metadata = parquet.read_metadata(self._file.reader())
        # Read as a dictionary, some KB cannot become 100 GB of repeated text.
        sizes, rows = footer.facts.text_bytes.sum(axis=0), footer.n_rows
        texts = zip(footer.leaves, sizes, strict=True)
        self._repetitive = [name for name, size in texts if 0 < size < _BYTES_OF_PLAIN_TEXT * rows]

    def __enter__(self) -> Self:
        """Return the part, to be read until the context ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every thread's reader; the file stays open."""
        self._file.close_readers()

    def _reader(self) -> ParquetFile:
        reader: ParquetFile | None = getattr(self._of_thread, "reader", None)
        if reader is None:
            reader = self._of_thread.reader = parquet.ParquetFile(
                self._file.reader(), metadata=self._metadata, read_dictionary=self._repetitive
            )
        return reader

    def decode(self, group: int, names: Sequence[str]) -> Frame:
        """Return flat columns of one row group as they are typed in the file.

        Raises:
            CorruptObject: a page cannot be decoded.
        """
        leaves = [self.footer.leaves[name] for name in names]
        with translated(self.footer.key):
            return self._reader().reader.read_row_group(group, column_indices=leaves, use_threads=False)

    def decode_items(self, group: int, name: str, delimiter: str) -> Items:
        """Return the items of every row of one row group, of a column of lists or of delimited texts.

        Raises:
            CorruptObject: a page cannot be decoded.
        """
        leaf = self.footer.lists.get(name, self.footer.leaves.get(name, -1))
        with translated(self.footer.key):
            frame = self._reader().reader.read_row_group(group, column_indices=[leaf], use_threads=False)
            if kinds.is_dictionary(frame.column(0).type):
                self._require_short(frame.column(0))
            return items_of(frame.column(0), delimiter)

    def decode_in_order(self, group: int, names: Sequence[str]) -> list[Column]:
        """Return these columns one by one; nothing is read for no name."""
        if not names:
            return []
        table = self.decode(group, names)
        return [table.column(name) for name in names]

    def decode_as(self, group: int, names: Sequence[str], schema: DropSchema) -> dict[str, Column]:
        """Return columns of one row group in the types of the drop, those that the path declares included."""
        stored = [name for name in names if name not in self.footer.constants]
        table = self.decode(group, stored)
        n_rows = self.footer.row_groups[group]
        columns: dict[str, Column] = {}
        for name in names:
            if name in self.footer.constants:
                value = arrow.scalar(self.footer.constants[name], arrow.string())
                columns[name] = arrow.chunked_array([arrow.repeat(value, n_rows)])
            else:
                columns[name] = self._cast(table.column(name), schema.columns[name])
        return columns

    def _cast(self, column: Column, kind: Kind) -> Column:
        if kinds.is_dictionary(column.type):
            self._require_short(column)
        with translated(self.footer.key):
            return column if column.type == kind else column.cast(kind, safe=False)

    def _require_short(self, column: Column) -> None:
        """Refuse texts that are too many for memory once they are written out.

        Raises:
            CorruptObject: they are.
        """
        for chunk in column.chunks:
            lengths = compute.binary_length(chunk.dictionary).cast(arrow.int64())
            size = compute.sum(lengths.take(chunk.indices)).as_py() or 0
            if size > MOST_TEXT_BYTES:
                found = f"one column decodes to {size / 1e9:,.0f} GB of text in {len(chunk):,} rows"
                raise CorruptObject("read", self.footer.key, found, "List it under table.ignore")


def check_columns(plan: ReadPlan, schema: DropSchema) -> None:
    """Refuse a plan that asks for what the drop does not have.

    Raises:
        SchemaConflict: a column is missing, nested, or not a number where it should be one.
    """
    if not schema.parts:
        return
    first = schema.parts[0]
    flat = first.leaves.keys() | first.constants.keys()
    optional = frozenset(plan.carried) if plan.shape == "long" else frozenset[str]()
    value = (plan.value,) if plan.shape == "long" else ()
    wanted = (plan.id, *plan.numeric, *plan.feature, *value, *(set(plan.carried) - optional))
    faults = [f"no flat column {name!r}" for name in wanted if name not in flat]
    faults += [
        f"no column of items {name!r}" for name, _ in plan.sequences if name not in {*first.leaves, *first.lists}
    ]
    faults += [
        f"column {name!r} is {schema.columns[name]}, not a number"
        for name in (*plan.numeric, *value)
        if name in flat and not (is_numeric(schema.columns[name]) or kinds.is_null(schema.columns[name]))
    ]
    if faults:
        raise SchemaConflict("read", first.key, "; ".join(faults[:5]), "Declare the columns as the drop has them")
