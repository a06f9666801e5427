"""Columns of a long drop that say one thing of an id, gathered from the many rows of that id."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from storage.arrow import Array, Column, Frame, arrow, compute
from storage.errors import CorruptObject


def distinct_pairs(ids: Column | Array, values: Column | Array) -> Frame:
    """Return the distinct (id, value) among rows, those without a value left out."""
    table = arrow.table([ids, values], names=["id", "value"])
    return _distinct(table.filter(compute.is_valid(table.column("value"))))


def constant_of_ids(name: str, ids: Array, pairs: Sequence[Frame], folder: str) -> Column:
    """Return the value of each id, null where it has none.

    Args:
        name: of the column, for the error.
        ids: (n_rows,) distinct.
        pairs: from distinct_pairs, of any cut of the rows.
        folder: of the drop, for the error.

    Raises:
        CorruptObject: an id has two values.
    """
    table = _distinct(arrow.concat_tables(pairs))
    rows = compute.index_in(table.column("id"), value_set=ids).to_numpy()
    slots = np.full(len(ids), -1, np.int64)
    slots[rows] = np.arange(rows.size)
    if np.unique(rows).size < rows.size:
        _refuse(name, ids, table, rows, folder)
    return table.column("value").take(arrow.array(slots, mask=slots < 0))


def _refuse(name: str, ids: Array, table: Frame, rows: np.ndarray[Any, Any], folder: str) -> None:
    row = int(np.flatnonzero(np.bincount(rows, minlength=len(ids)) > 1)[0])
    values = sorted(str(value) for value in table.column("value").filter(arrow.array(rows == row)).to_pylist())
    found = f"id {ids[row].as_py()!r} has {len(values)} values of {name!r}: {', '.join(values[:3])}"
    raise CorruptObject("read", folder, found, f"Write one value of {name!r} for every id")


def _distinct(pairs: Frame) -> Frame:
    return pairs.group_by(["id", "value"], use_threads=False).aggregate([])
