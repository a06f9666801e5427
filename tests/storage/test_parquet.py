"""Footers: what is refused, what is widened, what they count."""

import errno
import io

import numpy as np
import pyarrow as pa
import pytest

from storage.errors import CorruptObject, SchemaConflict
from storage.parquet import inspect_parts
from storage.partitions import partition_values
from storage.widening import common_type
from tests.storage.parts import Parts, body, parts_of


def test_the_schema_is_sorted_and_counts_rows() -> None:
    parts = parts_of(pa.table({"b": [1, 2], "a": [0.5, 1.0]}), pa.table({"b": [3], "a": [1.5]}))
    schema = inspect_parts(parts.infos[::-1], parts.open)
    assert list(schema.columns.items()) == [("a", pa.float64()), ("b", pa.int64())]
    assert schema.n_rows == 3
    assert schema.part_rows == {"drop/part-00000.parquet": 2, "drop/part-00001.parquet": 1}
    assert schema.compressed_bytes == sum(info.size for info in parts.infos)


def test_no_parts_have_no_columns() -> None:
    schema = inspect_parts([], Parts({}).open)
    assert (dict(schema.columns), schema.n_rows, schema.compressed_bytes) == ({}, 0, 0)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-5], lambda _: b"", lambda _: b"id,label\n1,0\n", lambda b: b[: len(b) // 2]]
)
def test_a_part_that_is_not_parquet_is_named(damage) -> None:  # noqa: ANN001
    whole = body(pa.table({"id": [1]}))
    parts = Parts({"drop/good.parquet": whole, "drop/torn.parquet": damage(whole)})
    with pytest.raises(CorruptObject, match=r"drop/torn.parquet.*write it again"):
        inspect_parts(parts.infos, parts.open)


def test_an_error_of_the_operating_system_is_not_called_corruption() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, f"Input/output error at {size}")

    parts = parts_of(pa.table({"id": [1]}))
    with pytest.raises(OSError, match="Input/output error"):
        inspect_parts(parts.infos, lambda info: Failing(bytes(info.size)))


def test_two_schemas_name_both_parts_and_the_columns() -> None:
    parts = parts_of(pa.table({"id": [1], "a": [1], "x": [1]}), pa.table({"id": [1], "b": [1], "x": ["text"]}))
    with pytest.raises(SchemaConflict) as caught:
        inspect_parts(parts.infos, parts.open)
    for word in ("part-00000", "part-00001", "'a'", "'b'", "'x' is string, but int64"):
        assert word in str(caught.value)


def test_widths_of_numbers_are_no_conflict() -> None:
    first = pa.table({"id": pa.array([1], pa.int32()), "x": pa.array([1], pa.int32()), "n": pa.nulls(1)})
    second = pa.table({"x": [0.5], "n": ["a"], "id": [2]})
    parts = parts_of(first, second)
    schema = inspect_parts(parts.infos, parts.open)
    assert dict(schema.columns) == {"id": pa.int64(), "n": pa.string(), "x": pa.float64()}


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [
        (pa.dictionary(pa.int8(), pa.string()), pa.large_string(), pa.string()),
        (pa.uint64(), pa.int64(), pa.float64()),
        (pa.decimal128(9, 2), pa.int32(), pa.float64()),
        (pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("us")),
        (pa.timestamp("ms", "UTC"), pa.timestamp("ms"), None),
        (pa.bool_(), pa.int8(), None),
        (pa.date32(), pa.string(), None),
    ],
)
def test_types_have_a_common_one_or_none(left: pa.DataType, right: pa.DataType, common: pa.DataType | None) -> None:
    assert common_type(left, right) == common
    assert common_type(right, left) == common


def test_a_column_twice_in_one_part_is_refused() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([1])], ["x", "x"])
    parts = parts_of(table)
    with pytest.raises(SchemaConflict, match="more than once: 'x'"):
        inspect_parts(parts.infos, parts.open)


def test_folders_declare_columns_unless_the_file_has_them() -> None:
    assert partition_values("a/dt=2026-01-01/s=x%2Fy/z=__HIVE_DEFAULT_PARTITION__/k=v.parquet") == {
        "dt": "2026-01-01",
        "s": "x/y",
        "z": None,
    }
    parts = Parts({"d/dt=1/x=9/p.parquet": body(pa.table({"x": [1]}))})
    assert dict(inspect_parts(parts.infos, parts.open).columns) == {"dt": pa.string(), "x": pa.int64()}


def test_non_zeros_are_bounded_by_the_statistics() -> None:
    zeros, floats = np.zeros(4, np.int32), np.array([0, 0, np.nan, 0])
    columns = {"zero": zeros, "nulls": pa.array([None, 1, None, 2]), "none": pa.nulls(4, pa.int32()), "nan": floats}
    parts = parts_of(pa.table({**columns, "deep": [{"a": 1}] * 4, "full": [0, 1, 2, 3]}))
    schema = inspect_parts(parts.infos, parts.open)
    found = {name: schema.nonzeros_at_most([name]) for name in schema.columns}
    # NaN stands outside minimum and maximum: a float column that looks all zero may hold one.
    assert found == {"zero": 0, "nulls": 2, "none": 0, "nan": 4, "full": 4, "deep": 0}


def test_extremes_are_exact_and_count_a_null_as_zero() -> None:
    first = pa.table({"epoch": [1_700_000_000, 1_700_000_059], "gap": pa.array([None, 5]), "text": ["a", "b"]})
    second = pa.table({"epoch": [1_700_000_020, 1_699_999_990], "gap": pa.array([-2, 3]), "text": ["a", "b"]})
    parts = parts_of(first, second)
    found = inspect_parts(parts.infos, parts.open).extremes()
    assert found["epoch"] == (1_699_999_990, 1_700_000_059)
    assert found["gap"] == (-2, 5)
    assert np.isnan(found["text"]).all()
