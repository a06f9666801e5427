"""The parts of a drop into a Table: sparse from the first byte, whatever the shape.

A wide drop is read in blocks of columns of one row group. Each block becomes a compressed piece at once (see pieces);
the pieces become one CSR matrix at the end (see assembly). The ids are read first, so that every row's place is known
before its values are; each part is therefore opened twice. Memory: 5 bytes per non-zero for the pieces, 8 for the
matrix, never both; and per thread one block's non-zeros and a few decoded columns.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from scipy.sparse import csr_array

from storage.arrow import Column, arrow, kinds
from storage.assembly import assemble
from storage.blocks import BlockReader, order_row_groups
from storage.carried import as_ids, carried_fields, sort_ids
from storage.decoding import OpenedPart, check_columns
from storage.footers import PartFooter
from storage.long import read_long
from storage.parquet import DropSchema, OpenPart, translated
from storage.plan import ReadPlan
from storage.sequences import Items, in_order, stacked
from storage.store import ObjectInfo
from storage.table import Table

_Columns = dict[str, Column]


def read_table(
    parts: Sequence[ObjectInfo],
    open_part: OpenPart,
    plan: ReadPlan,
    schema: DropSchema,
    *,
    threads: int,
    on_rows: Callable[[int], None],
) -> Table:
    """Read a drop.

    The result depends on the parts alone: not on their order in `parts`, on the order of columns, or on `threads`.

    Args:
        parts: the parts of the drop, in any order.
        open_part: opens exactly the version that an ObjectInfo names; called more than once for a part.
        plan: which column is what.
        schema: what inspect_parts found in these parts.
        threads: how many cores decoding may use.
        on_rows: called from this thread with numbers of rows read since the last call; they add up to schema.n_rows.

    Raises:
        SchemaConflict: the plan asks for a column that the drop does not have.
        CorruptObject: a page cannot be decoded, or an id of a long drop has two values where there should be one.
    """
    check_columns(plan, schema)
    footers = {footer.key: footer for footer in schema.parts}
    ordered = [(info, footers[info.key]) for info in sorted(parts)]
    if not ordered:
        return _empty_table(plan)
    if plan.shape == "long":
        return read_long(ordered, open_part, plan, schema, threads=threads, on_rows=on_rows)
    return _read_wide(ordered, open_part, plan, schema, threads, on_rows)


def _read_wide(
    parts: Sequence[tuple[ObjectInfo, PartFooter]],
    open_part: OpenPart,
    plan: ReadPlan,
    schema: DropSchema,
    threads: int,
    on_rows: Callable[[int], None],
) -> Table:
    with ThreadPoolExecutor(threads) as pool:
        of_parts = list(pool.map(partial(_read_carried, open_part=open_part, plan=plan, schema=schema), parts))
        items = list(pool.map(partial(_read_items, open_part=open_part, plan=plan), parts))
    carried = {name: _stacked([columns[name] for columns in of_parts]) for name in of_parts[0]}
    ids, order = sort_ids(carried.pop(""))
    sizes = [rows for _, footer in parts for rows in footer.row_groups]
    orders = order_row_groups(order, sizes)
    names = sorted(plan.numeric)
    pieces = BlockReader(names, orders, threads, on_rows).read(parts, open_part)
    numeric = assemble(pieces, [group.rows for group in orders], (ids.size, len(names)), threads)
    in_rows = {name: column.take(arrow.array(order)) for name, column in carried.items()}
    sequences = tuple(
        in_order(name, stacked([part[name] for part in items]), order) for name, _ in sorted(plan.sequences)
    )
    fields = carried_fields(plan, in_rows)
    return Table(ids=ids, numeric=numeric, numeric_names=tuple(names), sequences=sequences, **fields)


def _read_carried(
    part: tuple[ObjectInfo, PartFooter], open_part: OpenPart, plan: ReadPlan, schema: DropSchema
) -> _Columns:
    """Read all but the matrix of one part; the ids stand under "", for a plan may carry the same column besides."""
    info, footer = part
    names = tuple(dict.fromkeys((plan.id, *plan.carried)))
    with open_part(info) as file, OpenedPart(footer, file) as opened:
        groups = [opened.decode_as(g, names, schema) for g in range(len(footer.row_groups))]
    nothing = {name: arrow.chunked_array([], schema.columns[name]) for name in names}
    columns = {name: _stacked([group[name] for group in (nothing, *groups)]) for name in names}
    with translated(info.key):
        ids = as_ids(columns[plan.id])
    as_they_came = {plan.label, plan.group, plan.time, plan.split, *plan.dates, plan.until}
    return {"": ids} | {
        name: columns[name] if name in as_they_came else _encoded(columns[name]) for name in plan.carried
    }


def _read_items(part: tuple[ObjectInfo, PartFooter], open_part: OpenPart, plan: ReadPlan) -> dict[str, Items]:
    info, footer = part
    if not plan.sequences:
        return {}
    with open_part(info) as file, OpenedPart(footer, file) as opened:
        groups = range(len(footer.row_groups))
        return {
            name: stacked([opened.decode_items(g, name, delimiter) for g in groups])
            for name, delimiter in plan.sequences
        }


def _encoded(column: Column) -> Column:
    # Part by part, so that the texts of all rows never exist at one time.
    return column if kinds.is_dictionary(column.type) else column.dictionary_encode()


def _stacked(columns: Sequence[Column]) -> Column:
    return arrow.chunked_array([chunk for column in columns for chunk in column.chunks], columns[0].type)


def _empty_table(plan: ReadPlan) -> Table:
    names = sorted(plan.numeric)
    nothing = {name: arrow.chunked_array([], arrow.null()) for name in plan.carried}
    return Table(
        ids=np.empty(0, np.int64),
        numeric=csr_array(np.empty((0, len(names)), np.float32)),
        numeric_names=tuple(names),
        **carried_fields(plan, nothing),
    )
