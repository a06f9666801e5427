# pyright: reportUnknownMemberType=false
# pyarrow's writers are only partly typed.
"""Scores a drop with the model of a run: any number of rows, a bounded number at a time, in the order of the drop.

The drop is read like one that is learned from, through the problem's SQL if it has any, but its label is not looked at
and may be missing; nothing of it is deleted. A long drop is put together first, so its rows come sorted by id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from config.sections import TableSettings
from jobs.errors import EmptyDrop, MissingColumn, NotFinite, UnsupportedColumn
from jobs.intake import require_dates
from jobs.labels import listed
from jobs.model import Model
from jobs.net.threads import compute_on
from jobs.observer import Observer
from jobs.prepare import parts_to_read
from jobs.report.cells import as_cell
from jobs.stages import Stages
from jobs.work import Work
from storage.arrow import Kind
from storage.carried import id_type, is_nested
from storage.dates import holds_dates, is_temporal
from storage.parquet import DropSchema, OpenPart, inspect_parts
from storage.reading import read_table
from storage.store import ObjectInfo
from storage.streaming import stream_tables
from storage.table import Table
from storage.widening import is_list_of_items, is_readable_number

NAMES = ("predictions.parquet", "predictions.csv")


@dataclass(frozen=True, slots=True)
class Scored:
    """What a scoring came to.

    Attributes:
        rows: of the drop.
        missing: columns of the model that the drop does not have: they never happened.
        strange: categorical columns of which no row had a value that the model knows.
    """

    rows: int
    missing: tuple[str, ...]
    strange: tuple[str, ...]


def score_drop(work: Work, model: Model, folder: Path, observer: Observer) -> Scored:
    """Write predictions.parquet and predictions.csv, a row for every row of the drop.

    Args:
        work: the drop, and the problem that the model is of.
        model: of a run.
        folder: takes the two files.
        observer: hears of every stage, and may raise to abandon.

    Raises:
        EmptyDrop, MissingColumn, UnsupportedColumn, NotFinite, QueryFailed: the drop is none that can be scored.
        CorruptObject, SchemaConflict, ObjectChanged: see storage/.
    """
    compute_on(work.threads)
    stages = Stages(observer)
    with parts_to_read(work, stages) as (parts, open_part):
        schema = inspect_parts(parts, open_part)
        missing = _require_fit(schema, model, work.problem.table)
        with stages.stage("score", schema.n_rows, "rows") as facts:
            n_rows, known = 0, _Known(model)
            with _Writers(folder, model.id, id_type(schema.columns[model.id])) as writers:
                for table in _tables(work, model, parts, open_part, schema):
                    _require_finite(table)
                    require_dates(table.dates)
                    writers.write(table, model)
                    known.count(table)
                    n_rows += len(table.ids)
                    stages.advance(len(table.ids))
            missing += known.never_seen if work.problem.table.shape == "long" else []
            facts |= {"rows": n_rows, "missing_columns": missing, "strange_columns": known.strange}
    return Scored(n_rows, tuple(missing), tuple(known.strange))


class _Known:
    """What of the rows so far the model knows."""

    def __init__(self, model: Model) -> None:
        self._levels = {column.name: frozenset(column.levels) for column in model.categorical if column.levels}
        self._has_values, self._is_known = set[str](), set[str]()
        self._unseen = {*model.numeric, *(column.name for column in model.categorical)}
        self._all = model.columns

    def count(self, table: Table) -> None:
        self._unseen -= {*table.numeric_names}
        for name, levels in ((column.name, column.levels) for column in table.categorical if column.levels):
            self._unseen.discard(name)
            self._has_values.add(name)
            if not self._levels.get(name, frozenset()).isdisjoint(levels):
                self._is_known.add(name)

    @property
    def never_seen(self) -> list[str]:
        """Features of a long drop that no row had."""
        return [name for name in self._all if name in self._unseen]

    @property
    def strange(self) -> list[str]:
        return sorted((self._has_values & self._levels.keys()) - self._is_known)


def _require_fit(schema: DropSchema, model: Model, declared: TableSettings) -> list[str]:
    """Refuse a drop that the model cannot read; return its columns that the drop does not have.

    Raises:
        EmptyDrop, MissingColumn, UnsupportedColumn.
    """
    if schema.n_rows == 0:
        raise EmptyDrop("there are no rows to score. Check the job that wrote the drop")
    if model.id not in schema.columns:
        raise MissingColumn(
            f"the model names its rows by {model.id!r}, which the drop does not have. Score a drop of the same problem"
        )
    if declared.shape == "long":
        return []
    missing = [name for name in model.columns if name not in schema.columns]
    if len(missing) == len(model.columns):
        raise MissingColumn(
            f"the drop has none of the {len(missing)} columns of the model ({listed(map(repr, missing))}). "
            "Score a drop of the same problem"
        )
    if model.until is not None and not is_temporal(schema.columns.get(model.until, pa.null())):
        raise MissingColumn(
            f"the model counts days up to {model.until!r}, which the drop does not have, or not as dates. "
            "Score a drop of the same problem"
        )
    there = {name: schema.columns[name] for name in (model.id, *model.columns) if name in schema.columns}
    told_by_folders = schema.partition_columns
    wrong = {
        name: kind
        for name, kind in there.items()
        if name not in told_by_folders and not _is_readable(name, kind, model)
    }
    if wrong:
        found = listed(f"{name!r} ({kind})" for name, kind in wrong.items())
        raise UnsupportedColumn(f"{len(wrong)} column(s) have types that the model cannot read: {found}. Cast them")
    return missing


def _is_readable(name: str, kind: Kind, model: Model) -> bool:
    """Whether a column of this type can be what it is to the model."""
    if name in model.numeric:
        return is_readable_number(kind)
    if any(name == column.name for column in model.dates):
        return holds_dates(kind)
    is_sequence = any(name == column.vocabulary.name for column in model.sequences)
    return not is_nested(kind) or (is_sequence and is_list_of_items(kind))


def _require_finite(table: Table) -> None:
    wrong = np.flatnonzero(~np.isfinite(table.numeric.data))
    if len(wrong):
        row = int(np.searchsorted(table.numeric.indptr, int(wrong[0]), side="right")) - 1
        name = table.numeric_names[int(table.numeric.indices[wrong[0]])]
        where = f"on the row with id {table.ids[row : row + 1].tolist()[0]!r}"
        raise NotFinite(f"{name!r} is NaN, infinite or larger than 3.4e38 {where}. Write null for 'never happened'")


def _tables(
    work: Work, model: Model, parts: Sequence[ObjectInfo], open_part: OpenPart, schema: DropSchema
) -> Iterator[Table]:
    declared = work.problem.table
    if declared.shape == "wide":
        yield from stream_tables(parts, open_part, model.plan(schema.columns), schema)
        return
    plan = replace(
        model.plan({}),
        shape="long",
        feature=declared.feature,
        value=declared.value,
        ignore=(*declared.ignore, declared.label),
        categorical=tuple(column.name for column in model.categorical),
    )
    whole = read_table(parts, open_part, plan, schema, threads=work.threads, on_rows=lambda _: None)
    of_model = {*model.numeric}
    known = [k for k, name in enumerate(whole.numeric_names) if name in of_model]
    if not known and not any(column.levels for column in whole.categorical):
        raise MissingColumn(
            f"the drop has none of the {len(model.columns)} features of the model "
            f"({listed(map(repr, model.columns))}). Score a drop of the same problem"
        )
    names = tuple(whole.numeric_names[k] for k in known)
    yield replace(whole, numeric=whole.numeric[:, known], numeric_names=names)


class _Writers:
    """The two files, open while the context lasts."""

    def __init__(self, folder: Path, id_name: str, id_kind: Any) -> None:  # noqa: ANN401 - a type of pyarrow
        self._folder, self._id, self._id_kind = folder, id_name, id_kind
        self._parquet: pq.ParquetWriter | None = None
        self._csv: pa_csv.CSVWriter | None = None

    def __enter__(self) -> Self:
        """Open nothing yet: the columns are known with the first rows."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close both."""
        for writer in (self._parquet, self._csv):
            if writer is not None:
                writer.close()

    def write(self, table: Table, model: Model) -> None:
        """Predict, and write."""
        predictions = model.predict(table)
        columns: list[Any] = [pa.array(table.ids, self._id_kind), *map(pa.array, predictions.values())]
        frame = pa.Table.from_arrays(columns, names=[self._id, *predictions])
        if self._parquet is None or self._csv is None:
            self._parquet = pq.ParquetWriter(self._folder / NAMES[0], frame.schema)
            self._csv = pa_csv.CSVWriter(self._folder / NAMES[1], _as_cells(frame).schema)
        self._parquet.write_table(frame)
        self._csv.write_table(_as_cells(frame))


def _as_cells(frame: pa.Table) -> pa.Table:
    """Return a table whose texts no spreadsheet takes for a formula."""
    columns: list[Any] = [
        pa.array([None if text is None else as_cell(text) for text in column.to_pylist()], pa.string())
        if pa.types.is_string(column.type)
        else column
        for column in frame.columns
    ]
    return pa.Table.from_arrays(columns, names=[as_cell(name) for name in frame.column_names])
