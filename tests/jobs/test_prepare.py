"""The SQL of a problem: what it makes of raw tables, what it may not see, and how its mistakes are told."""

import gzip
import threading
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from config import Problem
from jobs.errors import Abandoned, EmptyDrop, OutOfMemory, QueryFailed
from jobs.observer import Silent
from jobs.prepare import parts_to_read
from jobs.stages import Stages
from jobs.statements import check_query
from jobs.work import Work
from storage import LocalStore
from storage.drops import snapshot_at
from storage.errors import CorruptObject, SchemaConflict
from storage.keys import MARKER
from tests.jobs.tables import problem_of

EVENTS = pd.DataFrame({"user_id": [1, 1, 2, 3], "thing": ["a", "b", "a", "a"], "count": [1, 2, 3, 4]})
USERS = b"user_id,came_back\n1,1\n2,0\n3,1\n"
SQL = """\
-- counts of one thing
CREATE TEMP TABLE counted AS
SELECT user_id, sum(count) AS n FROM events WHERE thing = $thing GROUP BY user_id;

SELECT u.user_id, u.came_back, coalesce(n, 0) AS n
FROM users u LEFT JOIN counted USING (user_id)
WHERE u.user_id IN (SELECT unnest($ids))
"""
PARAMETERS = {"thing": "a", "ids": [1, 2]}


def write_drop(root: Path, **objects: bytes) -> LocalStore:
    store = LocalStore(root)
    for key, body in objects.items():
        store.write(f"d/{key}", body)
    store.write(f"d/{MARKER}", b"")
    return store


def parquet_of(frame: pd.DataFrame) -> bytes:
    return frame.to_parquet(index=False)


def write_two_tables(root: Path) -> LocalStore:
    return write_drop(
        root,
        **{
            "events/part-0.parquet": parquet_of(EVENTS[:2]),
            "events/part-1.parquet": parquet_of(EVENTS[2:]),
            f"events/{MARKER}": b"",
            "users.csv": USERS,
        },
    )


def work_on(store: LocalStore, sql: str, parameters: object = None, **more: object) -> Work:
    asked = {"sql": sql, "file": "prepare.sql"} | {k: more.pop(k) for k in ("minutes",) if k in more}
    problem: Problem = problem_of(prepare=asked, parameters=parameters or {})
    drop = snapshot_at(store, "d/", holds_tables=True)
    return Work(problem, drop, store, store, fence=1, threads=2, **more)  # pyright: ignore[reportArgumentType]


def prepared(work: Work, observer: object = None) -> pd.DataFrame:
    with parts_to_read(work, Stages(observer or Silent())) as (parts, open_part):  # pyright: ignore[reportArgumentType]
        frames = []
        for part in parts:
            with open_part(part) as file:
                frames.append(pq.read_table(file).to_pandas())
    return pd.concat(frames)


def test_tables_in_folders_and_files_become_one_table(tmp_path: Path) -> None:
    found = prepared(work_on(write_two_tables(tmp_path), SQL, PARAMETERS)).sort_values("user_id")
    assert found.to_dict("list") == {"user_id": [1, 2], "came_back": [1, 0], "n": [1, 3]}


def test_parts_without_a_folder_are_the_table_raw_and_folders_may_be_partitions(tmp_path: Path) -> None:
    store = write_drop(
        tmp_path,
        **{f"dt=2026-01-0{day}/part-0.parquet": parquet_of(EVENTS[2 * day - 2 : 2 * day]) for day in (1, 2)},
    )
    found = prepared(work_on(store, "SELECT dt::VARCHAR AS dt, count(*) AS n FROM raw GROUP BY ALL ORDER BY 1"))
    assert found.to_dict("list") == {"dt": ["2026-01-01", "2026-01-02"], "n": [2, 2]}


def test_compressed_csv_is_read(tmp_path: Path) -> None:
    store = write_drop(tmp_path, **{"users.csv.gz": gzip.compress(USERS)})
    assert prepared(work_on(store, "FROM users"))["user_id"].tolist() == [1, 2, 3]


def test_a_problem_without_sql_reads_the_parts_themselves(tmp_path: Path) -> None:
    store = write_drop(tmp_path, **{"part-0.parquet": parquet_of(EVENTS)})
    work = Work(problem_of(), snapshot_at(store, "d/"), store, store, fence=1, threads=1)
    with parts_to_read(work, Stages(Silent())) as (parts, _):
        assert [part.key for part in parts] == ["d/part-0.parquet"]


@pytest.mark.parametrize(
    ("sql", "parameters", "message"),
    [
        ("SELECT 1;\n\nSELEC 2", {}, 'prepare.sql, line 3: Parser Error: syntax error at or near "SELEC"'),
        ("SELECT *\nFROM events\nWHERE nothing = 1", {}, "prepare.sql, line 3: Binder Error: Referenced column"),
        (
            "SELECT 1;\n-- words\n\nSELECT *\nFROM absent",
            {},
            "prepare.sql, line 5: Catalog Error: Table with name absent",
        ),
        ("SELECT user_id, thing::INT\nFROM events", {}, "Conversion Error: Could not convert string 'a' to INT32"),
        ("SELECT 1\nWHERE 1 = $k", {}, "prepare.sql, line 2: $k has no value"),
        ("SELECT 1", {"k": 1}, "prepare.sql never uses $k"),
        ("SELECT 1;\nCREATE TABLE t AS SELECT 1;", {}, "prepare.sql, line 2: the last statement must be the SELECT"),
        (";", {}, "has no statement"),
        ("SELECT 1 AS a,\n2 AS a", {}, "prepare.sql, line 1: the result has 'a' more than once"),
        ("SELECT INTERVAL 1 DAY AS a", {}, "'a' has the type"),
        ("SELECT $kk -- $k\nWHERE 1 = $k", {"kk": 1}, "$k has no value"),
        ("SELECT * FROM read_csv('/etc/passwd')", {}, "file system operations are disabled"),
        ("SELECT * FROM '/etc/passwd'", {}, "does not exist"),
        ("SELECT * FROM glob('/*')", {}, "disabled"),
        ("SELECT * FROM EVENTS_FRAME", {}, "does not exist"),
        ("COPY events TO '/tmp/winnow-leak.csv'; SELECT 1", {}, "file system operations are disabled"),
        ("ATTACH '/tmp/winnow-leak.db'; SELECT 1", {}, "file system operations are disabled"),
        ("INSTALL httpfs; SELECT 1", {}, "disabled"),
        ("SET enable_external_access = true; SELECT 1", {}, "the configuration has been locked"),
        ("SET memory_limit = '1TB'; SELECT 1", {}, "the configuration has been locked"),
    ],
)
def test_a_wrong_query_is_told_with_its_line(
    tmp_path: Path, sql: str, parameters: dict[str, object], message: str
) -> None:
    EVENTS_FRAME = EVENTS  # noqa: F841 - DuckDB would look for it in the frames that call it
    with pytest.raises(QueryFailed) as caught:
        prepared(work_on(write_two_tables(tmp_path), sql, parameters))
    assert message in str(caught.value)
    assert not Path("/tmp/winnow-leak.csv").exists()  # noqa: S108 - the query must not have written it


def test_a_query_is_checked_without_a_drop() -> None:
    problem = problem_of(prepare={"sql": SQL}, parameters={"thing": "a"})
    assert problem.prepare is not None
    with pytest.raises(QueryFailed, match=r"^the query of prepare, line 7: \$ids has no value"):
        check_query(problem.prepare, problem.parameters)


LONG = "SELECT sum(a.range * b.range) AS s FROM range(10000000) a, range(10000000) b"


def test_a_query_that_takes_too_long_is_interrupted(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(QueryFailed, match=r"^prepare\.sql took longer than 0\.005 minutes"):
        prepared(work_on(write_two_tables(tmp_path), LONG, minutes=0.005))
    assert time.monotonic() - began < 30


def test_an_abandoned_job_interrupts_its_query(tmp_path: Path) -> None:
    class Impatient(Silent):
        calls = 0

        def advanced(self, steps: int) -> None:
            self.calls += steps >= 0
            if self.calls > 4:
                raise Abandoned("stop")

    with pytest.raises(Abandoned):
        prepared(work_on(write_two_tables(tmp_path), LONG), Impatient())
    assert [thread.name for thread in threading.enumerate() if thread.name == "prepare"] == []


def test_a_query_stays_within_its_memory(tmp_path: Path) -> None:
    sql = "SELECT list(range) AS everything FROM range(30000000)"
    with pytest.raises(OutOfMemory, match=r"^prepare\.sql needs more memory than it may have"):
        prepared(work_on(write_two_tables(tmp_path), sql, max_memory=100_000_000))


def test_what_does_not_fit_into_memory_is_spilled(tmp_path: Path) -> None:
    sql = "SELECT count(*) AS n FROM (SELECT DISTINCT hash(range) FROM range(3000000))"
    found = prepared(work_on(write_two_tables(tmp_path), sql, max_memory=200_000_000))
    assert found["n"].tolist() == [3_000_000]


@pytest.mark.parametrize(
    ("objects", "error", "message"),
    [
        ({}, EmptyDrop, "there are no tables"),
        ({"a.parquet": b"PAR1torn"}, CorruptObject, "not readable as parquet"),
        ({"a/x.csv": b"k\n1\n", "a/y.parquet": parquet_of(EVENTS)}, SchemaConflict, "in parquet and in csv"),
        ({"a.csv": b"k\n1\n", "A.csv": b"k\n1\n"}, SchemaConflict, "cannot tell apart: 'A' and 'a'"),
        ({"a.csv.gz": b"no gzip at all"}, CorruptObject, "the table 'a' cannot be read as csv"),
        ({"a/p.parquet": parquet_of(EVENTS), "a/q.parquet": parquet_of(EVENTS[["count"]])}, SchemaConflict, "columns"),
    ],
)
def test_tables_that_cannot_be_read_are_named(
    tmp_path: Path, objects: dict[str, bytes], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        prepared(work_on(write_drop(tmp_path, **objects), "SELECT 1 AS k"))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ['q"uote', "sp ace", "ünï", "semi;colon", "a'b"])
def test_tables_may_have_any_name(tmp_path: Path, name: str) -> None:
    quoted = name.replace('"', '""')
    store = write_drop(tmp_path, **{f"{name}/x.csv": USERS})
    assert len(prepared(work_on(store, f'FROM "{quoted}"'))) == 3


def test_two_runs_prepare_the_same_bytes(tmp_path: Path) -> None:
    fractions = pd.DataFrame({"k": range(50_000), "v": [1 / (i + 1) for i in range(50_000)]})
    store = write_drop(tmp_path, **{"t.parquet": parquet_of(fractions)})
    sql = "SELECT k % 7 AS g, sum(v) AS s, avg(v) AS a FROM t GROUP BY g ORDER BY g"
    one, other = (prepared(work_on(store, sql)) for _ in range(2))
    assert one.equals(other)


def test_a_pivot_is_a_table(tmp_path: Path) -> None:
    found = prepared(work_on(write_two_tables(tmp_path), "PIVOT events ON thing USING sum(count) GROUP BY user_id"))
    assert sorted(found.columns) == ["a", "b", "user_id"]


def test_csv_that_changes_its_type_late_is_told(tmp_path: Path) -> None:
    store = write_drop(tmp_path, **{"t.csv": b"k\n" + b"1\n" * 30_000 + b"abc\n"})
    with pytest.raises(QueryFailed, match="abc"):
        prepared(work_on(store, "FROM t"))


def test_what_a_query_leaves_as_facts_is_told(tmp_path: Path) -> None:
    stages = Stages(Silent())
    sql = "CREATE TEMP TABLE facts AS SELECT 'left out' AS name, 3 AS value; FROM users"
    with parts_to_read(work_on(write_two_tables(tmp_path), sql), stages):
        pass
    assert stages.facts["prepare"] == {"tables": {"events": 4, "users": None}, "rows": 3, "facts": {"left out": 3}}


def test_a_name_that_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    store = write_two_tables(tmp_path)
    with pytest.raises(QueryFailed, match=r"nothing.*The drop has events \(.*\), users \(.*user_id"):
        prepared(work_on(store, "SELECT nothing FROM users"))
    with pytest.raises(QueryFailed, match=r"absent.*The drop has events \("):
        prepared(work_on(store, "FROM absent"))


def test_a_query_without_rows_is_not_an_empty_drop(tmp_path: Path) -> None:
    with pytest.raises(QueryFailed, match=r"^prepare\.sql, line 2: the result has no rows\. Check its joins"):
        prepared(work_on(write_two_tables(tmp_path), "\nSELECT * FROM users WHERE user_id IS NULL"))
