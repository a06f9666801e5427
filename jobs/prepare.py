# pyright: reportUnknownMemberType=false
# pyarrow's writer is only partly typed.
"""The SQL of a problem: from the raw tables of a drop to the one table that is learned from, by DuckDB.

The tables are views named after their folders or files (`raw` for parts without a folder); `$name` is a parameter of
the problem file. The last statement is a SELECT, and its result is streamed into parquet beside the raw files: from
there on it is a drop like any other. The query sees nothing else of the machine: no file, no network, no extension, no
variable of this process, and its memory and time have limits. It runs on one thread: sums of floating-point numbers
depend on their order, and two runs of one drop must leave the same bytes.

A query that leaves a table `facts(name, value)` has these told in the log and in run.json: rows that it left out, say.
"""

import threading
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from config.sections import Parameter, PrepareSettings
from jobs.errors import EmptyDrop, QueryFailed
from jobs.labels import listed
from jobs.stages import Stages
from jobs.statements import Statement, check_query, place, said, statements_of, translated
from jobs.work import Work
from storage.cache import cached_parts
from storage.errors import CorruptObject
from storage.local import LocalStore
from storage.parquet import OpenPart
from storage.raw import RawTable, fetch_tables
from storage.store import ObjectInfo

_ROWS_PER_GROUP = 65_536
_MEMORY_SHARE = 0.6  # of max_memory: pages that DuckDB does not count, and the arrays that are on their way, need some
_MOST_FACTS = 100
_HAS_FACTS = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'facts'"
_LOOK_SECONDS = 0.1  # how often it is asked whether the query should go on

Parts = tuple[Sequence[ObjectInfo], OpenPart]


@contextmanager
def parts_to_read(work: Work, stages: Stages) -> Generator[Parts]:
    """Yield the parts that hold the table, and what opens them: those of the drop, or what the SQL makes of it.

    Raises:
        QueryFailed: the SQL is wrong, or took too long.
        OutOfMemory: it would need more memory than it may have.
        CorruptObject, SchemaConflict, ObjectChanged: see storage/raw.py.
    """
    asked = work.problem.prepare
    if asked is None:
        with cached_parts(work.drops) as open_part:
            yield work.drop.parts, open_part
        return
    with TemporaryDirectory(prefix="winnow-") as folder:
        prepared = LocalStore(Path(folder, "prepared"))
        with stages.stage("prepare", 0, "rows") as facts:
            facts.update(_prepare(work, asked, Path(folder), stages))
        yield list(prepared.list()), prepared.open


def _prepare(work: Work, asked: PrepareSettings, folder: Path, stages: Stages) -> dict[str, object]:
    """Run the query over the tables of the drop; leave its result in folder/prepared. Return what it came to."""
    if not work.drop.parts:
        raise EmptyDrop("there are no tables (parquet or csv) beside the marker. Check the job that wrote the drop")
    check_query(asked, work.problem.parameters)
    (folder / "prepared").mkdir()
    (folder / "raw").mkdir()
    with duckdb.connect(":memory:") as connection:
        _confine(connection, folder, work.max_memory)
        tables: dict[str, int | None] = {}
        for table in fetch_tables(work.drops, work.drop.parts, work.drop.prefix, folder / "raw"):
            _show(connection, table)
            tables[table.name] = table.rows
            stages.advance(0)
        connection.execute("SET lock_configuration = true")
        query = _Query(connection, asked, work.problem.parameters, folder / "prepared/part-0.parquet")
        try:
            query.run_watched(stages)
        except QueryFailed as error:
            if isinstance(error.__cause__, duckdb.BinderException | duckdb.CatalogException):
                raise QueryFailed(f"{error}. The drop has {_described(connection, tables)}") from error.__cause__
            raise
    return {"tables": tables, "rows": query.rows, "facts": query.facts}


def _confine(connection: duckdb.DuckDBPyConnection, folder: Path, max_memory: int | None) -> None:
    """Let a connection see a folder and nothing else, and use so much memory and one thread."""
    spill = folder / "spill"
    spill.mkdir()
    settings: dict[str, object] = {
        "python_enable_replacements": False,  # names of tables would be looked up among our own variables
        "temp_directory": str(spill),
        "threads": 1,
        "allowed_directories": [str(folder)],
        "enable_external_access": False,
    }
    if max_memory is not None:
        settings["memory_limit"] = f"{int(max_memory * _MEMORY_SHARE)}B"
    for name, value in settings.items():
        connection.execute(f"SET {name} = ?", [value])


def _show(connection: duckdb.DuckDBPyConnection, table: RawTable) -> None:
    """Make a view of a table.

    Raises:
        CorruptObject: its files are not what their names say.
    """
    files, name = [str(file) for file in table.files], table.name.replace('"', '""')
    read = "read_parquet" if table.kind == "parquet" else "read_csv"
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)  # a view takes no parameters
    try:
        connection.execute(f'CREATE VIEW "{name}" AS FROM {read}([{listed}], hive_partitioning = true)')
    except duckdb.Error as error:
        found = f"the table {table.name!r} cannot be read as {table.kind}: {said(error)}"
        raise CorruptObject("read", table.keys[0], found, "Write it again, or take it out of the drop") from error


def _described(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> str:
    """Return the tables with their columns, as the query sees them: a garbled csv has others than its header says."""
    texts: list[str] = []
    for table in tables:
        name = table.replace('"', '""')
        columns = [str(row[0]) for row in connection.execute(f'DESCRIBE "{name}"').fetchall()]
        texts.append(f"{table} ({listed(columns)})")
    return listed(texts)


class _Query:
    """One run of the query.

    Attributes:
        rows: how many its result has.
        facts: what it says in a table of this name.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        asked: PrepareSettings,
        parameters: Mapping[str, Parameter],
        target: Path,
    ) -> None:
        self._connection = connection
        self._asked = asked
        self._parameters = parameters
        self._target = target
        self._failure: BaseException | None = None
        self.rows = 0
        self.facts: dict[str, Any] = {}

    def run_watched(self, stages: Stages) -> None:
        """Run it on a thread of its own, and interrupt it when its time is over or the job is abandoned."""
        ends_at = time.monotonic() + 60 * self._asked.minutes
        thread = threading.Thread(target=self._run_caught, name="prepare")
        thread.start()
        is_late, seen = False, 0
        try:
            while thread.is_alive():
                thread.join(_LOOK_SECONDS)
                rows = self.rows
                stages.advance(rows - seen)
                seen = rows
                if time.monotonic() > ends_at:
                    is_late = True
                    self._connection.interrupt()
        finally:
            self._connection.interrupt()
            thread.join()
        if is_late:
            hint = "Make the query cheaper, or raise prepare.minutes"
            raise QueryFailed(f"{place(self._asked)} took longer than {self._asked.minutes:g} minutes. {hint}")
        if self._failure is not None:
            raise self._failure

    def _run_caught(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self._failure = error

    def _run(self) -> None:
        *before, last = statements_of(self._asked)
        for statement in before:
            with translated(self._asked, statement):
                self._connection.execute(statement.text, self._used_by(statement))
        with translated(self._asked, last):
            if not last.is_several:  # what EXPLAIN finds has a line, what sql() finds has none; but sql() streams
                self._connection.execute(f"EXPLAIN {last.text}", self._used_by(last))
            result = self._connection.sql(last.text, params=self._used_by(last))
            reader = cast("pa.RecordBatchReader", result.to_arrow_reader(_ROWS_PER_GROUP))
            _require_storable(self._asked, last, reader.schema)
            with pq.ParquetWriter(self._target, reader.schema) as writer:
                for batch in reader:
                    writer.write_table(pa.Table.from_batches([batch]), row_group_size=_ROWS_PER_GROUP)
                    self.rows += batch.num_rows
            if not self.rows:
                found = f"{place(self._asked, last.line)}: the result has no rows"
                raise QueryFailed(f"{found}. Check its joins and what it leaves out, or the tables of the drop")
            self.facts = self._said()

    def _said(self) -> dict[str, Any]:
        """What stands in the table `facts`, if the query has made one."""
        (made,) = self._connection.execute(_HAS_FACTS).fetchone() or (0,)
        said = self._connection.execute("SELECT name, value FROM facts").fetchmany(_MOST_FACTS) if made else []
        return {str(name): value for name, value in said}

    def _used_by(self, statement: Statement) -> dict[str, object]:
        return {name: _value(self._parameters[name]) for name in statement.parameters}


def _require_storable(asked: PrepareSettings, statement: Statement, schema: pa.Schema) -> None:
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        found = f"the result has {', '.join(map(repr, twice))} more than once"
        raise QueryFailed(f"{place(asked, statement.line)}: {found}. Give every column a name of its own")
    for name, kind in zip(schema.names, schema.types, strict=True):
        if pa.types.is_interval(kind) or pa.types.is_union(kind):
            found = f"{name!r} has the type {kind}, which no table can hold"
            raise QueryFailed(f"{place(asked, statement.line)}: {found}. Cast it")


def _value(parameter: Parameter) -> object:
    return list(parameter) if isinstance(parameter, tuple) else parameter
