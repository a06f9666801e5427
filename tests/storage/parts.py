"""Parts of drops in memory, for the tests of reading."""

import io
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from storage.parquet import inspect_parts
from storage.plan import ReadPlan
from storage.reading import read_table
from storage.store import ObjectInfo
from storage.table import Table


class Parts:
    """Objects by key, opened as a store would open them."""

    def __init__(self, bodies: Mapping[str, bytes]) -> None:
        self._bodies = dict(bodies)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        self.infos = [ObjectInfo(key, len(body), "", None, now) for key, body in bodies.items()]

    @contextmanager
    def open(self, info: ObjectInfo) -> Generator[BinaryIO]:
        """Open one, as ObjectStore.open does."""
        with io.BytesIO(self._bodies[info.key]) as file:
            yield file


def body(table: pa.Table, **options: Any) -> bytes:  # noqa: ANN401 - those of pyarrow
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def parts_of(*tables: pa.Table, **options: Any) -> Parts:  # noqa: ANN401 - those of pyarrow
    return Parts({f"drop/part-{k:05d}.parquet": body(table, **options) for k, table in enumerate(tables)})


def read(parts: Parts, plan: ReadPlan, threads: int = 2, infos: Sequence[ObjectInfo] | None = None) -> Table:
    chosen = parts.infos if infos is None else infos
    schema = inspect_parts(chosen, parts.open)
    seen: list[int] = []
    table = read_table(chosen, parts.open, plan, schema, threads=threads, on_rows=seen.append)
    assert sum(seen) == schema.n_rows
    return table


def assert_equal_tables(left: Table, right: Table) -> None:
    np.testing.assert_array_equal(left.ids, right.ids)
    assert left.ids.dtype == right.ids.dtype
    assert left.numeric_names == right.numeric_names
    assert left.numeric.shape == right.numeric.shape
    for name in ("indptr", "indices", "data"):
        one, other = getattr(left.numeric, name), getattr(right.numeric, name)
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert [column.name for column in left.categorical] == [column.name for column in right.categorical]
    for one, other in zip(left.categorical, right.categorical, strict=True):
        np.testing.assert_array_equal(one.codes, other.codes)
        assert one.levels == other.levels
    for name in ("label", "group", "time", "split"):
        one, other = getattr(left, name), getattr(right, name)
        assert (one is None) == (other is None)
        assert one is None or one.equals(other)
