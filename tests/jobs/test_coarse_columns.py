"""A column that float32 cannot resolve is flagged, never silently constant."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.intake import take_in
from jobs.schema import plan_reading
from storage import open_store
from storage.drops import snapshot_at
from storage.parquet import inspect_parts
from storage.reading import read_table
from tests.jobs.tables import problem_of


@pytest.mark.parametrize(
    ("values", "is_coarse"),
    [
        (1_700_000_000 + np.arange(60), True),
        (1_700_000_000 + 86_400 * np.arange(60), False),
        (np.arange(60), False),
        (np.full(60, 1_700_000_000), False),
        (np.where(np.arange(60) % 2, 0, 1_700_000_000), False),
    ],
)
def test_only_columns_closer_than_float32_can_tell_are_coarse(
    tmp_path: Path, values: np.ndarray, is_coarse: bool
) -> None:
    keys = {"user_id": np.arange(60), "active": np.arange(60) % 2}
    pq.write_table(pa.table(keys | {"seen_at": values}), tmp_path / "part-0.parquet")
    (tmp_path / "_SUCCESS").touch()
    store = open_store(str(tmp_path))
    parts = snapshot_at(store, "").parts
    schema = inspect_parts(parts, store.open)
    plan = plan_reading(schema, problem_of(table={"id": "user_id", "label": "active"}))
    table = read_table(parts, store.open, plan, schema, threads=1, on_rows=lambda _: None)
    assert take_in(table, plan, schema).coarse == (frozenset({"seen_at"}) if is_coarse else frozenset())
