"""The rows of a drop in the order in which they lie, a bounded number at a time: for scoring, which keeps nothing.

A batch is a Table like any other, but its rows are those of the file: parts by key, row groups and rows as written.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from storage.arrow import Column, Frame, arrow, compute, kinds, parquet
from storage.carried import as_ids, carried_fields, id_values, joined
from storage.footers import PartFooter
from storage.parquet import DropSchema, OpenPart, translated
from storage.plan import ReadPlan
from storage.sequences import in_order, items_of
from storage.store import ObjectInfo
from storage.table import Table

BATCH_ROWS = 32_768
_BATCH_VALUES = 1 << 25  # rows times columns that a batch decodes
_DENSE_COLUMNS = 64  # that are dense at one time


def stream_tables(
    parts: Sequence[ObjectInfo], open_part: OpenPart, plan: ReadPlan, schema: DropSchema
) -> Iterator[Table]:
    """Yield the rows of a wide drop, some at a time; the label of a batch is its id.

    Args:
        parts: of the drop, in any order.
        open_part: opens exactly the version that an ObjectInfo names.
        plan: which column is what; its label must be its id.
        schema: what inspect_parts found in these parts.

    Raises:
        CorruptObject: a page cannot be decoded.

    Memory: one batch of at most 32,768 rows, less where there are thousands of columns.
    """
    footers = {footer.key: footer for footer in schema.parts}
    for info in sorted(parts):
        with open_part(info) as file:
            yield from _stream_part(file, footers[info.key], plan, schema)


def _stream_part(file: BinaryIO, footer: PartFooter, plan: ReadPlan, schema: DropSchema) -> Iterator[Table]:
    names = [plan.id, *plan.numeric, *plan.carried, *(name for name, _ in plan.sequences)]
    stored = [name for name in dict.fromkeys(names) if name not in footer.constants]
    rows = max(1, min(BATCH_ROWS, _BATCH_VALUES // max(1, len(stored))))
    items = {name for name, _ in plan.sequences}
    with translated(footer.key):
        batches = parquet.ParquetFile(file, pre_buffer=False).iter_batches(
            batch_size=rows, columns=stored, use_threads=False
        )
    while True:
        with translated(footer.key):
            batch = next(batches, None)
            if batch is None:
                return
            # In the types of the drop, as it is learned from: one value must be one text in all parts.
            columns = [
                batch.column(name) if name in items else batch.column(name).cast(schema.columns[name], safe=False)
                for name in stored
            ]
        yield table_of(arrow.table(columns, names=stored), footer.constants, plan)


def table_of(frame: Frame, constants: Mapping[str, str | None], plan: ReadPlan) -> Table:
    """Return some rows as a table, in their order; their label is their id.

    Args:
        frame: the columns.
        constants: columns that have one value on every row.
        plan: which column is what.
    """
    n_rows = int(frame.num_rows)

    def column(name: str) -> Column:
        if name in constants:
            return arrow.chunked_array([arrow.repeat(arrow.scalar(constants[name], arrow.string()), n_rows)])
        return frame.column(name)

    ids, rows = as_ids(column(plan.id)), np.arange(n_rows, dtype=np.int64)
    return Table(
        ids=id_values(ids),
        numeric=_sparse([column(name) for name in plan.numeric], n_rows),
        numeric_names=plan.numeric,
        sequences=tuple(in_order(name, items_of(column(name), delimiter), rows) for name, delimiter in plan.sequences),
        **(carried_fields(plan, {name: column(name) for name in plan.carried}) | {"label": joined(ids)}),
    )


def _sparse(columns: Sequence[Column], n_rows: int) -> csr_array:
    """(n_rows, n_columns) CSR; null is zero."""
    blocks: list[csr_array[Any, tuple[int, int]]] = [csr_array(np.zeros((n_rows, 0), np.float32))]
    for first in range(0, len(columns), _DENSE_COLUMNS):
        some = columns[first : first + _DENSE_COLUMNS]
        dense = np.empty((n_rows, len(some)), np.float32)
        for k, column in enumerate(some):
            dense[:, k] = _numbers(column)
        blocks.append(csr_array(dense))
    return csr_array(hstack(blocks, format="csr", dtype=np.float32))


def _numbers(column: Column) -> NDArray[np.float32]:
    if kinds.is_dictionary(column.type):
        column = compute.cast(column, column.type.value_type)
    if kinds.is_null(column.type):
        return np.zeros(len(column), np.float32)
    if kinds.is_string(column.type):  # said by a folder
        column = arrow.chunked_array([arrow.array([_number(text) for text in column.to_pylist()], arrow.float64())])
    values = column.cast(arrow.float64(), safe=False).fill_null(0.0)
    with np.errstate(over="ignore"):
        return np.asarray(values.to_numpy(), np.float64).astype(np.float32)


def _number(text: str | None) -> float | None:
    """The number that a folder says; nan, which nobody takes for a number, for any other text."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return float("nan")
