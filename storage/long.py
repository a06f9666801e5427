"""A long drop, one row per (id, feature, value), into a Table without a pivot.

Ids and features become numbers row group by row group; equal pairs are summed; sorting is by counting. What the plan
calls label, group, time, split or categorical is a column of the drop, constant for an id, or a feature of that name.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from storage.arrow import Array, Column, Frame, Kind, arrow, compute
from storage.carried import as_ids, carried_fields, id_type, id_values, joined
from storage.constants import constant_of_ids, distinct_pairs
from storage.decoding import OpenedPart
from storage.entries import sum_entries
from storage.footers import PartFooter
from storage.parquet import DropSchema, OpenPart, translated
from storage.plan import ReadPlan
from storage.store import ObjectInfo
from storage.table import Table


@dataclass(frozen=True, slots=True)
class _Events:
    """One row group in numbers of its own.

    Attributes:
        ids: the distinct ids, null among them if it occurs.
        features: the distinct names.
        rows: (n,) int32 index into `ids`.
        columns: (n,) int32 index into `features`.
        values: (n,) float64, no zeros.
        carried: by name of a plan column: table of distinct (id, value).
    """

    ids: Array
    features: Array
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: NDArray[np.float64]
    carried: dict[str, Frame]


def read_long(
    parts: Sequence[tuple[ObjectInfo, PartFooter]],
    open_part: OpenPart,
    plan: ReadPlan,
    schema: DropSchema,
    *,
    threads: int,
    on_rows: Callable[[int], None],
) -> Table:
    """Read a long drop; see read_table.

    Raises:
        CorruptObject: an id has two values of a column that should be constant for it.
    """
    events: list[_Events] = []
    with ThreadPoolExecutor(threads) as pool:
        read_part = partial(_read_part, open_part=open_part, plan=plan, schema=schema)
        for (_, footer), of_part in zip(parts, pool.map(read_part, parts), strict=True):
            events.extend(of_part)
            on_rows(footer.n_rows)
    ids = _sorted_distinct([one.ids for one in events], id_type(schema.columns[plan.id]))
    taken_out = arrow.array([*plan.carried, *plan.ignore], arrow.string())
    features = _sorted_distinct([one.features for one in events], arrow.string())
    features = features.filter(compute.invert(compute.is_in(features, value_set=taken_out)))
    folder = parts[0][0].key.rpartition("/")[0] + "/"
    carried = {name: constant_of_ids(name, ids, [one.carried[name] for one in events], folder) for name in plan.carried}
    return Table(
        ids=id_values(ids),
        numeric=_matrix(events, ids, features),
        numeric_names=tuple(features.to_pylist()),
        **carried_fields(plan, carried),
    )


def _read_part(
    part: tuple[ObjectInfo, PartFooter], open_part: OpenPart, plan: ReadPlan, schema: DropSchema
) -> list[_Events]:
    info, footer = part
    stored = [name for name in plan.carried if name in schema.columns]
    names = tuple(dict.fromkeys((plan.id, *plan.feature, plan.value, *stored)))
    with open_part(info) as file, OpenedPart(footer, file) as opened:
        row_groups = (opened.decode_as(g, names, schema) for g in range(len(footer.row_groups)))
        with translated(info.key):
            return [_number(columns, plan) for columns in row_groups]


def _number(columns: dict[str, Column], plan: ReadPlan) -> _Events:
    """Encode one row group: ids and features as numbers, zeros left out."""
    ids = as_ids(columns[plan.id])
    features = _feature_names([columns[name] for name in plan.feature])
    values = columns[plan.value]
    carried = {
        name: distinct_pairs(ids, columns[name]) if name in columns else _told_by_feature(name, ids, features, values)
        for name in plan.carried
    }
    rows, columns_ = _encoded(ids, "encode"), _encoded(features, "mask")
    numbers = values.cast(arrow.float64(), safe=False).fill_null(0.0).to_numpy()
    codes = columns_.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    kept = (codes >= 0) & (numbers != 0)
    of_rows = rows.indices.to_numpy(zero_copy_only=False)
    return _Events(rows.dictionary, columns_.dictionary, of_rows[kept], codes[kept], numbers[kept], carried)


def _feature_names(columns: Sequence[Column]) -> Column:
    """Join the columns that name a feature; null only where all of them are (an id without events)."""
    texts = [column.cast(arrow.string()) for column in columns]
    if len(texts) == 1:
        return texts[0]
    parts: list[Any] = [*texts, "_"]
    names = compute.binary_join_element_wise(*parts, null_handling="replace", null_replacement="null")
    nothing = compute.is_null(texts[0])
    for text in texts[1:]:
        nothing = compute.and_(nothing, compute.is_null(text))
    return compute.if_else(nothing, arrow.scalar(None, arrow.string()), names)


def _told_by_feature(name: str, ids: Column, features: Column, values: Column) -> Frame:
    told = compute.fill_null(compute.equal(features, name), False)
    return distinct_pairs(ids.filter(told), values.filter(told))


def _encoded(column: Column, null_encoding: str) -> Array:
    return joined(column.dictionary_encode(null_encoding=null_encoding).unify_dictionaries())


def _sorted_distinct(dictionaries: Sequence[Array], kind: Kind) -> Array:
    distinct = arrow.chunked_array(dictionaries, kind).unique()
    return distinct.take(compute.sort_indices(distinct))


def _matrix(events: list[_Events], ids: Array, features: Array) -> csr_array:
    """Sum the events by (id, feature); uses `events` up."""
    rows: list[NDArray[np.int32]] = []
    columns: list[NDArray[np.int32]] = []
    values: list[NDArray[np.float64]] = []
    while events:
        one = events.pop()
        column = _places(one.features, features)[one.columns]
        kept = column >= 0
        rows.append(_places(one.ids, ids)[one.rows[kept]])
        columns.append(column[kept])
        values.append(one.values[kept])
    shape = (len(ids), len(features))
    return sum_entries(_flat(rows, np.int32), _flat(columns, np.int32), _flat(values, np.float64), shape)


def _places(distinct: Array, among: Array) -> NDArray[np.int32]:
    places = compute.index_in(distinct, value_set=among).fill_null(-1).to_numpy(zero_copy_only=False)
    return places.astype(np.int32)


def _flat(arrays: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    flat = np.concatenate(arrays) if arrays else np.empty(0, dtype)
    arrays.clear()
    return flat
