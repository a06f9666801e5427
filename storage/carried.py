"""The columns beside the matrix: ids and their order, levels of categories, label and the like."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.arrow import Array, Column, Kind, arrow, compute, kinds
from storage.dates import dates_of
from storage.plan import ReadPlan
from storage.table import CategoricalColumn
from storage.widening import plain

_WHOLE = 2.0**53  # below it a float64 tells every whole number from the next


def id_type(kind: Kind) -> Kind:
    """Return what ids of a drop become: int64 for integers that fit, text for everything else."""
    return arrow.int64() if kinds.is_integer(kind) and not kinds.is_uint64(kind) else arrow.string()


def as_ids(column: Column) -> Column:
    """Return a column as ids; NaN names no row, so it is null."""
    if kinds.is_float32(column.type) or kinds.is_float64(column.type):
        column = compute.if_else(compute.is_nan(column), arrow.scalar(None, column.type), column)
    return as_text(column) if id_type(column.type) == arrow.string() else column.cast(arrow.int64())


def as_text(values: Column | Array) -> Column | Array:
    """Return values as text, a value spelled the same in whatever type a part or a later drop has it.

    A whole number is spelled as one, whether its column is of integers, floats or decimals; a moment without the zeros
    of its fraction, in UTC, and midnight as its date.
    """
    if kinds.is_decimal(values.type):
        return compute.replace_substring_regex(values.cast(arrow.string()), r"\.0+$|(\.\d*?)0+$", r"\1")
    if kinds.is_timestamp(values.type):
        moments = values.cast(arrow.timestamp("us"), safe=False).cast(arrow.string())
        return compute.replace_substring_regex(moments, r"( 00:00:00)?\.0+$|(\.\d*?)0+$", r"\2")
    if not (kinds.is_float32(values.type) or kinds.is_float64(values.type)):
        return values.cast(arrow.string())
    numbers = values.cast(arrow.float64())
    is_whole = compute.and_(compute.equal(numbers, compute.floor(numbers)), compute.less(compute.abs(numbers), _WHOLE))
    whole = compute.if_else(is_whole, numbers, arrow.scalar(None, arrow.float64())).cast(arrow.int64())
    return compute.coalesce(whole.cast(arrow.string()), values.cast(arrow.string()))


def is_nested(kind: Kind) -> bool:
    """Whether a value of the type is several: lists, structs and maps are not carried."""
    return bool(kinds.is_nested(kind))


def is_bytes(kind: Kind) -> bool:
    """Whether the type is raw bytes, which need not be text."""
    of = plain(kind)
    return bool(kinds.is_binary(of) or kinds.is_fixed_size_binary(of))


def sort_ids(ids: Column) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """Return the sorted ids and the order that sorts them, stable, nulls last.

    Args:
        ids: (n_rows,) int64 or string.

    Returns:
        (n_rows,) int64 without nulls, else object (str or int, and None); (n_rows,) int64.
    """
    order: NDArray[np.int64] = compute.sort_indices(ids).to_numpy().astype(np.int64)
    return id_values(ids.take(arrow.array(order))), order


def id_values(ids: Column | Array) -> NDArray[np.generic]:
    """Return ids as numpy: int64 without nulls, else object."""
    if kinds.is_int64(ids.type) and ids.null_count == 0:
        return np.asarray(ids.to_numpy())
    values = np.empty(len(ids), object)
    values[:] = ids.to_pylist()
    return values


def joined(column: Column) -> Array:
    """Return a column as one array."""
    whole: Any = column.combine_chunks()
    # combine_chunks answers with chunks again when text passes 2 GB, and for no chunk at all.
    return whole if isinstance(whole, arrow.Array) else arrow.concat_arrays(whole.chunks)


def encode_levels(name: str, column: Column) -> CategoricalColumn:
    """Return a column, dictionary-encoded or not, as codes of its sorted distinct texts; null is -1."""
    encoded = column if kinds.is_dictionary(column.type) else column.dictionary_encode()
    whole: Any = joined(encoded.unify_dictionaries())
    texts = as_text(whole.dictionary)
    levels = texts.unique().drop_null()
    levels = levels.take(compute.sort_indices(levels))
    rank = compute.index_in(texts, value_set=levels)
    codes = rank.take(whole.indices).fill_null(-1).cast(arrow.int32())
    return CategoricalColumn(name, np.array(codes, np.int32), tuple(levels.to_pylist()))


def carried_fields(plan: ReadPlan, columns: Mapping[str, Column]) -> dict[str, Any]:
    """Return the fields of Table that are neither ids nor numeric, from columns already in row order."""
    fields: dict[str, Any] = {
        "label": joined(columns[plan.label]),
        "categorical": tuple(encode_levels(name, columns[name]) for name in sorted(plan.categorical)),
        "dates": tuple(dates_of(name, columns[name]) for name in sorted(plan.dates)),
        "until": None if plan.until is None else dates_of(plan.until, columns[plan.until]),
    }
    for field in ("group", "time", "split"):
        name: str | None = getattr(plan, field)
        fields[field] = None if name is None else joined(columns[name])
    return fields
