"""A run's memory is known from the footers, and refused before it is spent."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import OutOfMemory
from jobs.memory import expected_peak_bytes, forget_peak, peak_bytes, require_memory
from storage import open_store
from storage.drops import snapshot_at
from storage.parquet import DropSchema, inspect_parts
from storage.plan import ReadPlan

N_ROWS = 20_000


def schema_of(folder: Path, columns: dict[str, np.ndarray]) -> DropSchema:
    folder.mkdir()
    pq.write_table(pa.table(columns), folder / "part-0.parquet")
    (folder / "_SUCCESS").touch()
    store = open_store(str(folder))
    return inspect_parts(snapshot_at(store, "").parts, store.open)


def counts(share: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.where(random.random(N_ROWS) < share, random.geometric(0.5, N_ROWS), 0).astype(np.int32)


@pytest.mark.parametrize("share", [0.003, 0.01, 0.03, 0.1, 0.5, 1.0])
def test_the_expected_nonzeros_are_of_the_right_size(tmp_path: Path, share: float) -> None:
    values = counts(share)
    expected = schema_of(tmp_path / "drop", {"a": values}).nonzeros_expected(["a"])
    assert 0.65 <= expected / np.count_nonzero(values) <= 3


def test_a_column_of_zeros_and_columns_that_are_not_read_cost_nothing(tmp_path: Path) -> None:
    schema = schema_of(tmp_path / "drop", {"a": counts(0.0), "b": counts(0.5)})
    assert schema.nonzeros_expected(["a"]) == 0
    plan = ReadPlan(id="u", label="y", numeric=("a",))
    with_b = ReadPlan(id="u", label="y", numeric=("a", "b"))
    small, large = (expected_peak_bytes(schema, each, d_block=8, folds=2, threads=1) for each in (plan, with_b))
    assert large - small == 36 * N_ROWS + 4 * 8 * (2 + 4)


def test_a_run_that_would_pass_the_limit_is_refused_with_both_numbers() -> None:
    require_memory(10**9, None)
    require_memory(10**9, 10**9)
    with pytest.raises(OutOfMemory, match=r"need 2\.50 GB, and max_memory is 1\.00 GB"):
        require_memory(2_500_000_000, 10**9)


def test_the_items_of_a_sequence_are_counted(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    texts = np.array([",".join(map(str, random.integers(100, 1000, 50))) for _ in range(N_ROWS)])
    schema = schema_of(tmp_path / "drop", {"s": texts})
    plain = ReadPlan(id="u", label="y")
    with_items = ReadPlan(id="u", label="y", sequences=(("s", ","),))
    small, large = (expected_peak_bytes(schema, each, d_block=8, folds=2, threads=1) for each in (plain, with_items))
    assert 36 * 50 * N_ROWS * 0.8 < large - small < 2 * 36 * 50 * N_ROWS


def test_the_peak_of_one_drop_is_not_that_of_the_drop_before() -> None:
    before = np.ones(300_000_000, np.uint8)
    assert peak_bytes() > before.nbytes
    high = peak_bytes()
    del before
    forget_peak()
    assert peak_bytes() < high - 200_000_000
