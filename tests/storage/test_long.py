"""Long drops: the same Table as the wide drop of the same data."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import CorruptObject
from storage.plan import ReadPlan
from tests.storage.parts import assert_equal_tables, parts_of, read

LONG = ReadPlan(id="id", label="y", shape="long", feature=("feature",), value="value")


def long_of(values: np.ndarray[Any, Any], names: list[str], rng: np.random.Generator) -> pa.Table:
    """All non-zeros as rows, in random order, and one row without a feature for every id."""
    rows, columns = np.nonzero(values)
    n = len(values)
    table = pa.table(
        {
            "id": np.concatenate([rows, np.arange(n)]),
            "feature": pa.array([names[j] for j in columns] + [None] * n, pa.string()),
            "value": pa.array([values[i, j].item() for i, j in zip(rows, columns, strict=True)] + [None] * n),
        }
    )
    return table.take(pa.array(rng.permutation(table.num_rows)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32), n=st.integers(1, 60), d=st.integers(1, 12), cut=st.integers(0, 50), real=st.booleans()
)
def test_long_and_wide_of_the_same_data_are_the_same_table(seed: int, n: int, d: int, cut: int, real: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.poisson(0.5, (n, d)) * (rng.normal(size=(n, d)) if real else 1)
    values[0, :] = 1  # a column that is never mentioned does not exist
    names = [f"f{j}" for j in range(d)]
    y, c = pa.array(rng.integers(0, 2, n)), pa.array([f"c{i % 3}" for i in range(n)])
    wide = pa.table({"id": range(n), **{name: values[:, j] for j, name in enumerate(names)}, "y": y, "c": c})
    long = long_of(values, names, rng)
    long = long.append_column("y", y.take(long["id"])).append_column("c", c.take(long["id"]))
    found = read(
        parts_of(long.slice(cut), long.slice(0, cut), row_group_size=7),
        ReadPlan("id", "y", categorical=("c",), group="c", shape="long", feature=("feature",), value="value"),
    )
    order = pa.array(rng.permutation(n))
    expected = read(parts_of(wide.take(order)), ReadPlan("id", "y", tuple(names), categorical=("c",), group="c"))
    assert_equal_tables(found, expected)


def events(*rows: tuple[Any, ...]) -> pa.Table:
    ids, features, values = zip(*rows, strict=True)
    return pa.table({"id": ids, "feature": features, "value": values})


def test_the_label_may_be_a_feature_and_is_then_no_feature() -> None:
    found = read(parts_of(events((2, "y", 1), (2, "a", 5), (1, "y", 0), (3, "a", 1))), LONG)
    assert found.numeric_names == ("a",)
    assert found.numeric.toarray().tolist() == [[0], [5], [1]]
    assert found.label.equals(pa.array([0, 1, None]))


def test_repeated_pairs_are_summed_and_what_sums_to_zero_is_not_stored() -> None:
    rows = [(1, "a", 2), (1, "a", 3), (1, "b", 4), (1, "b", -4), (1, "c", 0), (1, "d", None), (1, "y", 1), (2, "y", 0)]
    found = read(parts_of(events(*rows[:4]), events(*rows[4:])), LONG)
    assert found.numeric_names == ("a", "b", "c", "d")
    assert found.numeric.toarray().tolist() == [[5, 0, 0, 0], [0, 0, 0, 0]]
    assert found.numeric.nnz == 1


def test_the_sum_does_not_depend_on_which_part_came_first() -> None:
    rows = [(1, "a", v) for v in (1e16, 1.0, -1e16, 3.5, 1e-3)]
    sums = {
        read(parts_of(*(events(row) for row in order), events((1, "y", 1.0))), LONG).numeric.data.tolist()[0]
        for order in (rows, rows[::-1], rows[2:] + rows[:2])
    }
    assert len(sums) == 1


def test_a_feature_may_be_named_by_several_columns() -> None:
    table = pa.table(
        {
            "id": ["u", "u", "u", "v"],
            "kind": ["boss", "boss", "y", None],
            "what": ["7", None, None, None],
            "value": [2, 3, 1, None],
            "y": [1, 1, 1, 0],
        }
    )
    plan = ReadPlan("id", "y", shape="long", feature=("kind", "what"), value="value", ignore=("y_null",))
    found = read(parts_of(table), plan)
    assert found.numeric_names == ("boss_7", "boss_null")
    assert found.numeric.toarray().tolist() == [[2, 3], [0, 0]]
    assert found.ids.tolist() == ["u", "v"]


def test_two_labels_of_one_id_are_refused_by_name() -> None:
    table = events((7, "a", 1), (7, "b", 1)).append_column("y", pa.array([0, 1]))
    with pytest.raises(CorruptObject, match="id 7 has 2 values of 'y': 0, 1"):
        read(parts_of(table.slice(0, 1), table.slice(1)), LONG)


def test_nan_and_null_ids_are_kept() -> None:
    found = read(parts_of(events((None, "a", 1.0), (4, "a", float("nan")), (4, "y", 1.0))), LONG)
    assert found.ids.tolist() == [4, None]
    np.testing.assert_array_equal(found.numeric.toarray(), np.array([[np.nan], [1]], "f4"))


def test_a_long_drop_without_rows_is_an_empty_table() -> None:
    schema = pa.schema([("id", pa.int64()), ("feature", pa.string()), ("value", pa.int64()), ("y", pa.int8())])
    found = read(parts_of(schema.empty_table()), LONG)
    assert (found.numeric.shape, found.numeric_names, len(found.label)) == ((0, 0), (), 0)
