"""Every kind of bad drop, beside a good one, through the real command: each put aside with its reason, nothing lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

WINNOW = Path(sys.executable).with_name("winnow")
N_ROWS = 400

Watched = tuple[Path, dict[str, bytes], subprocess.CompletedProcess[str]]


def good_table(seed: int = 0) -> pd.DataFrame:
    """A small table with one strong column."""
    random = np.random.default_rng(seed)
    counts = random.poisson(0.5, (N_ROWS, 6))
    label = (random.random(N_ROWS) < 1 / (1 + np.exp(1 - 2 * counts[:, 0]))).astype(np.int64)
    keys = {"user_id": np.arange(N_ROWS), "active": label}
    return pd.DataFrame(keys | {f"5_{k}": counts[:, k].astype(np.float64) for k in range(6)})


def with_value(column: str, value: float) -> pd.DataFrame:
    table = good_table()
    table.loc[7, column] = value
    return table


TABLES = {
    "label-missing": (good_table().drop(columns="active"), "MissingLabel", "'active'"),
    "one-class": (good_table().assign(active=1), "InvalidLabel", "only 1"),
    "undeclared-text": (good_table().assign(country="KR"), "UnsupportedColumn", "'country'"),
    "no-rows": (good_table().iloc[:0], "EmptyDrop", "no rows"),
    "nan": (with_value("5_3", np.nan), "NotFinite", "'5_3'"),
    "infinity": (with_value("5_3", np.inf), "NotFinite", "'5_3'"),
    "double-id": (good_table().assign(user_id=[7, *range(1, N_ROWS)]), "DuplicateIds", "7"),
    "quotes": (good_table().rename(columns={"5_3": 'a"b'}), "UnsafeColumnName", 'a"b'),
    "newline": (good_table().rename(columns={"5_3": "a\nb"}), "UnsafeColumnName", r"a\nb"),
    "script": (good_table().rename(columns={"5_3": "<script>"}), "UnsafeColumnName", "<script>"),
}


def write_drop(folder: Path, *tables: pd.DataFrame) -> None:
    """Write a drop: NaN stays NaN rather than becoming null, as Spark writes it."""
    folder.mkdir(parents=True)
    for number, table in enumerate(tables):
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        for column in (name for name in table if table[name].dtype == np.float64):
            place = arrow.schema.get_field_index(column)
            arrow = arrow.set_column(place, column, pa.array(table[column].to_numpy()))
        pq.write_table(arrow, folder / f"part-{number:05d}.parquet")
    (folder / "_SUCCESS").touch()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A folder with every bad drop and a good one, after one pass of the service: (home, bad drops before, process)."""
    home = tmp_path_factory.mktemp("bad")
    drops = home / "drops"
    for name, (table, _, _) in TABLES.items():
        write_drop(drops / name, table)
    write_drop(drops / "two-schemas", good_table(), good_table().drop(columns="5_3"))
    write_drop(drops / "torn", good_table())
    part = drops / "torn" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-10])
    (drops / "torn" / "_SUCCESS").touch()
    write_drop(drops / "nothing")
    before = contents(drops)
    write_drop(drops / "zz-good", good_table())
    (home / "p.yaml").write_text(
        "problem: return\ndrops: drops/\nresults: results/\ncomplete: {settle_seconds: 0.2}\n"
        "table: {id: user_id, label: active}\nsplit: {folds: 2}\nnet: {epochs: 2}\nexplain: {rows: 20, background: 4}\n"
    )
    (home / "winnow.yaml").write_text("problems: [p.yaml]\n")
    command = [str(WINNOW), "watch", "--config", str(home / "winnow.yaml"), "--once"]
    return home, before, subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


EXPECTED = {name: (error, fragment) for name, (_, error, fragment) in TABLES.items()} | {
    "two-schemas": ("SchemaConflict", "5_3"),
    "torn": ("CorruptObject", "part-00000.parquet"),
    "nothing": ("EmptyDrop", "no parts beside the marker"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_bad_drop_is_put_aside_with_its_reason(watched: Watched, name: str) -> None:
    home, _, _ = watched
    records = [json.loads(path.read_text()) for path in (home / "results/return/quarantine").glob("*.json")]
    (record,) = [record for record in records if record["url"].endswith(f"/{name}/")]
    error, fragment = EXPECTED[name]
    assert (record["error"], fragment in record["message"]) == (error, True), record["message"]


def test_the_inputs_of_bad_drops_are_untouched(watched: Watched) -> None:
    home, before, _ = watched
    assert contents(home / "drops").items() >= before.items()


def test_the_service_goes_on_with_the_good_drop_and_says_what_happened(watched: Watched) -> None:
    home, _, done = watched
    assert done.returncode == 3, done.stderr[-2000:]
    assert (home / "results/return/latest.json").exists()
    assert not (home / "drops/zz-good").exists()


def test_run_names_the_fault_on_one_screen(watched: Watched) -> None:
    home, _, _ = watched
    command = [str(WINNOW), "run", str(home / "drops/undeclared-text"), "--problem", str(home / "p.yaml")]
    done = subprocess.run([*command, "--results", str(home / "other")], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "country" in done.stderr
    assert "table.categorical" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_beyond_max_memory_is_refused_before_it_begins(watched: Watched, tmp_path: Path) -> None:
    home, _, _ = watched
    write_drop(tmp_path / "drop", good_table())
    before = contents(tmp_path / "drop")
    command = [str(WINNOW), "run", str(tmp_path / "drop"), "--problem", str(home / "p.yaml")]
    done = subprocess.run(
        [*command, "--results", str(tmp_path / "results")],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ) | {"WINNOW_MAX_MEMORY": "100MB"},
    )
    assert done.returncode == 5
    assert "max_memory is 0.10 GB" in done.stderr
    assert contents(tmp_path / "drop").items() >= before.items()
