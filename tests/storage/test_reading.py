"""Wide drops: exact equality with a dense reference, whatever the types, encodings, cuts and orders."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.carried import as_text
from storage.errors import CorruptObject, SchemaConflict
from storage.plan import ReadPlan
from tests.storage.parts import Parts, assert_equal_tables, body, parts_of, read

PLAN = ReadPlan(id="id", label="y", numeric=("x",))


def plan_for(table: pa.Table) -> ReadPlan:
    return ReadPlan(id="id", label="y", numeric=tuple(n for n in table.column_names if n not in ("id", "y")))


def dense(table: pa.Table, names: tuple[str, ...]) -> np.ndarray[Any, Any]:
    """The reference: rows in the order of ids, null as zero, by pandas."""
    frame = table.to_pandas().sort_values("id", kind="stable")
    columns = [pd.to_numeric(frame[name]).fillna(0.0).to_numpy(np.float64) for name in names]
    return np.stack(columns, axis=1).astype(np.float32) if names else np.empty((len(frame), 0), np.float32)


KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "bool": (pa.bool_(), st.booleans()),
    "int8": (pa.int8(), st.integers(-128, 127)),
    "uint16": (pa.uint16(), st.integers(0, 65535)),
    "int32": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "uint32": (pa.uint32(), st.integers(0, 2**32 - 1)),
    "int64": (pa.int64(), st.integers(-(2**53), 2**53)),
    "uint64": (pa.uint64(), st.integers(0, 2**53)),
    "float": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "double": (pa.float64(), st.floats(-1e30, 1e30)),
    "decimal": (pa.decimal128(9, 2), st.integers(-9999, 9999).map(lambda v: Decimal(v) / 100)),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    n = draw(st.integers(0, 90))
    ids = draw(st.permutations(range(n)))
    columns: dict[str, Any] = {"id": pa.array(ids, pa.int64()), "y": pa.array([i % 2 for i in ids], pa.int8())}
    for k, kind in enumerate(draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=8))):
        arrow, values = KINDS[kind]
        sparse = st.one_of(st.just(0), st.just(0), st.none(), values)
        filled = draw(st.lists(sparse, min_size=n, max_size=n))
        values_ = [None if v is None else bool(v) if kind == "bool" else v for v in filled]
        columns[f"{kind}_{k}"] = pa.array(values_, arrow)
    names = draw(st.permutations(list(columns)))
    return pa.table({name: columns[name] for name in names})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(table=tables(), data=st.data())
def test_any_table_in_any_cut_equals_the_dense_reference(table: pa.Table, data: st.DataObject) -> None:
    n = table.num_rows
    cut = data.draw(st.integers(0, n))
    options = {
        "row_group_size": data.draw(st.integers(1, 40)),
        "use_dictionary": data.draw(st.booleans()),
        "write_statistics": data.draw(st.booleans()),
        "data_page_version": data.draw(st.sampled_from(["1.0", "2.0"])),
    }
    parts = parts_of(table.slice(0, cut), table.slice(cut).select(table.column_names[::-1]), **options)
    plan = plan_for(table)
    found = read(parts, plan)
    assert found.numeric_names == tuple(sorted(plan.numeric))
    np.testing.assert_array_equal(found.numeric.toarray(), dense(table, found.numeric_names))
    np.testing.assert_array_equal(found.ids, np.arange(n))
    assert found.label.to_pylist() == [i % 2 for i in range(n)]
    assert bool((found.numeric.data != 0).all())
    assert_equal_tables(found, read(parts, plan, threads=1, infos=parts.infos[::-1]))


def wide_table(n: int = 3000, d: int = 600) -> pa.Table:
    rng = np.random.default_rng(1)
    columns: dict[str, Any] = {"id": rng.permutation(n)}
    for j in range(d):
        values = rng.poisson(0.05, n).astype(np.int32)
        columns[f"f{j}"] = pa.array(values, mask=values == 0) if j % 3 == 0 else values
    columns["kpi"] = rng.normal(size=n).astype(np.float32)
    columns["y"] = rng.integers(0, 2, n)
    return pa.table(columns)


def test_many_blocks_threads_and_row_groups_give_one_table() -> None:
    table = wide_table()
    plan = plan_for(table)
    parts = parts_of(*(table.slice(k, 700) for k in range(0, 3000, 700)), row_group_size=300)
    found = read(parts, plan, threads=4)
    np.testing.assert_array_equal(found.numeric.toarray(), dense(table, found.numeric_names))
    assert found.numeric.has_sorted_indices == all(
        bool((np.diff(found.numeric.indices[a:b]) > 0).all())
        for a, b in zip(found.numeric.indptr[:-1], found.numeric.indptr[1:], strict=True)
    )
    assert found.numeric.indices.dtype == np.int32
    assert_equal_tables(found, read(parts_of(table), plan, threads=1))


def test_nan_and_infinity_are_kept_and_negative_zero_is_zero() -> None:
    values = [0.0, float("nan"), float("inf"), -0.0, float("-inf"), 1e-60]
    found = read(parts_of(pa.table({"id": range(6), "x": values, "y": [0] * 6})), PLAN)
    np.testing.assert_array_equal(found.numeric.toarray()[:, 0], np.array([0, np.nan, np.inf, 0, -np.inf, 0], "f4"))
    assert found.numeric.nnz == 3


def test_an_empty_chunk_is_not_decoded_and_a_nan_among_zeros_is_not_lost() -> None:
    table = pa.table({"id": [0, 1], "x": [0.0, float("nan")], "z": [0, 0], "y": [0, 1]})
    whole = body(table, compression="none", use_dictionary=False)
    found = read(Parts({"p": whole}), ReadPlan(id="id", label="y", numeric=("x", "z")))
    np.testing.assert_array_equal(found.numeric.toarray(), np.array([[0, 0], [np.nan, 0]], "f4"))


def test_parts_may_differ_in_the_width_of_numbers() -> None:
    first = pa.table({"id": pa.array([3], pa.int32()), "x": pa.array([7], pa.int16()), "y": pa.array([1], pa.int8())})
    second = pa.table({"id": [1], "x": [0.5], "y": [0.0]})
    found = read(parts_of(first, second), PLAN)
    assert (found.ids.dtype, found.ids.tolist()) == (np.dtype(np.int64), [1, 3])
    assert found.numeric.toarray()[:, 0].tolist() == [0.5, 7]
    assert found.label.equals(pa.array([0.0, 1.0]))


def test_rows_of_one_id_stand_in_the_order_of_keys_whatever_the_order_of_the_list() -> None:
    parts = parts_of(*(pa.table({"id": [1, 1], "x": [k, k + 1], "y": [k, k]}) for k in (1, 3, 5)))
    for infos in (parts.infos, parts.infos[::-1]):
        assert read(parts, PLAN, infos=infos).numeric.toarray()[:, 0].tolist() == [1, 2, 3, 4, 5, 6]


def test_names_with_dots_are_names() -> None:
    table = pa.table({"id": [1, 2], "a": [1, 0], "a.b": [0, 2], "a.b.c": [3, 0], 's"\n': [0, 4], "y": [0, 1]})
    found = read(parts_of(table), plan_for(table))
    np.testing.assert_array_equal(found.numeric.toarray(), dense(table, found.numeric_names))


def test_nested_columns_may_stand_between_and_are_left_alone() -> None:
    deep = pa.array([[{"k": 1, "v": 2}], []], pa.list_(pa.struct([("k", pa.int8()), ("v", pa.int8())])))
    table = pa.table({"deep": deep, "id": [2, 1], "m": pa.array([[("a", 1)], []], pa.map_("string", "int8"))})
    table = table.append_column("x", pa.array([5, 7])).append_column("y", pa.array([0, 1]))
    np.testing.assert_array_equal(read(parts_of(table), PLAN).numeric.toarray(), [[7], [5]])
    with pytest.raises(SchemaConflict, match="no flat column 'deep'"):
        read(parts_of(table), ReadPlan(id="id", label="y", numeric=("deep",)))


def test_text_ids_sort_as_text_and_nulls_stay_for_intake_to_judge() -> None:
    table = pa.table({"id": ["b", None, "a", "a"], "x": [1, 2, 3, 4], "y": [0, 1, 0, 1]})
    found = read(parts_of(table.slice(2), table.slice(0, 2)), PLAN)
    assert found.ids.tolist() == ["a", "a", "b", None]
    assert found.numeric.toarray()[:, 0].tolist() == [3, 4, 1, 2]
    numbers = read(parts_of(pa.table({"id": [2, None], "x": [1, 2], "y": [0, 1]})), PLAN)
    assert (numbers.ids.dtype, numbers.ids.tolist()) == (np.dtype(object), [2, None])


def test_categories_are_codes_of_sorted_text_across_parts() -> None:
    first = pa.table({"id": [3, 1], "c": ["z", None], "n": [7, 10], "y": [0, 1]})
    second = pa.table({"id": [2, 0], "c": ["a", "z"], "n": [10, 2], "y": [1, 1]})
    parts = Parts({"dt=1/p": body(first), "dt=2/p": body(second.select(["y", "n", "c", "id"]))})
    found = read(parts, ReadPlan(id="id", label="y", categorical=("n", "c", "dt"), group="dt", split="dt"))
    c, dt, n = found.categorical
    assert (c.levels, c.codes.tolist()) == (("a", "z"), [1, -1, 0, 1])
    assert (n.levels, n.codes.tolist()) == (("10", "2", "7"), [1, 0, 0, 2])
    assert (dt.levels, dt.codes.tolist()) == (("1", "2"), [1, 0, 1, 0])
    assert found.group is not None
    assert found.group.to_pylist() == ["2", "1", "2", "1"]


def test_parts_without_rows_and_drops_without_parts_are_tables() -> None:
    table = pa.table({"id": [1], "x": [2], "y": [1]})
    assert read(parts_of(table.slice(0, 0), table, table.slice(0, 0)), PLAN).numeric.toarray().tolist() == [[2]]
    for parts in (parts_of(table.slice(0, 0)), Parts({})):
        found = read(parts, PLAN)
        assert (found.numeric.shape, found.ids.shape, len(found.label)) == ((0, 1), (0,), 0)


def test_a_torn_page_is_a_corrupt_object() -> None:
    rng = np.random.default_rng(0)
    whole = bytearray(body(pa.table({"id": range(5000), "x": rng.integers(0, 9, 5000), "y": rng.random(5000)})))
    whole[200 : len(whole) // 2] = bytes(len(whole) // 2 - 200)
    with pytest.raises(CorruptObject, match="drop/p"):
        read(Parts({"drop/p": bytes(whole)}), PLAN)


def test_a_plan_for_columns_that_are_not_there_is_refused() -> None:
    parts = parts_of(pa.table({"id": [1], "x": ["text"], "z": [1]}))
    with pytest.raises(SchemaConflict, match=r"no flat column 'y'.*'x' is string, not a number"):
        read(parts, PLAN)


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
def test_a_whole_number_is_one_text_whatever_its_type(kind: pa.DataType) -> None:
    values = pa.array([10_000_000_000, 3, 10_000_000_000], kind)
    plan = ReadPlan(id="id", label="y", categorical=("c",))
    (column,) = read(parts_of(pa.table({"id": values[:2], "y": [0, 1], "c": values[:2]})), plan).categorical
    assert column.levels == ("10000000000", "3")


def test_ids_that_are_floats_are_spelled_as_whole_numbers() -> None:
    table = pa.table({"id": pa.array([1.5, 12345678901.0, None]), "y": [0, 1, 0]})
    assert read(parts_of(table), ReadPlan(id="id", label="y")).ids.tolist() == ["1.5", "12345678901", None]


@pytest.mark.parametrize(("spellings", "expected"), [
    ([pa.array([Decimal("1.50")]), pa.array([Decimal("1.5")]), pa.array([1.5])], "1.5"),
    ([pa.array([Decimal("10.00")]), pa.array([Decimal(10)]), pa.array([10.0]), pa.array([10])], "10"),
    ([pa.array([20_454], pa.date32()), pa.array([1_767_225_600], pa.timestamp("s")),
      pa.array([1_767_225_600_000_000_000], pa.timestamp("ns")),
      pa.array([1_767_225_600_000], pa.timestamp("ms", "UTC"))], "2026-01-01"),
    ([pa.array([1_767_225_661_500], pa.timestamp("ms")), pa.array([1_767_225_661_500_000], pa.timestamp("us"))],
     "2026-01-01 00:01:01.5"),
    ([pa.array([1_767_225_660], pa.timestamp("s")), pa.array([1_767_225_660_000], pa.timestamp("ms", "UTC"))],
     "2026-01-01 00:01:00"),
])  # fmt: skip
def test_a_value_is_one_text_in_every_type(spellings: list[pa.Array], expected: str) -> None:
    assert [as_text(values).to_pylist() for values in spellings] == [[expected]] * len(spellings)
