"""Judges the values of a drop: what they must be for the problem to make sense.

Every fault is a named error that says what was found, where, and what to do; the drop is then quarantined, untouched.
"""

import re
from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jobs.data.dataset import Categories, Dataset, Dates, Sequences
from jobs.errors import DuplicateIds, EmptyDrop, MissingColumn, MissingLabel, NotFinite, UnsupportedColumn
from jobs.labels import listed, read_label
from jobs.net.tasks import TaskKind
from jobs.schema import NO_ROWS, require_safe_names
from storage.dates import DateColumn
from storage.parquet import DropSchema
from storage.plan import ReadPlan
from storage.table import Table

_BIGGEST_FIRST = re.compile(r"\d{4}([-/.]?W?\d{2}([-/.]?\d{1,2}([T ].*)?)?)?$")
_FLOAT32_STEP = 2.0**-23  # relative distance of neighbours
_FLOAT32_STEPS = 16  # so many of them at least must lie between the extremes of a column


def take_in(
    table: Table,
    plan: ReadPlan,
    schema: DropSchema,
    task: TaskKind = "binary",
    report_by: Collection[str] = (),
    positive: object = None,
) -> Dataset:
    """Judge the values of a table, read by that plan from a drop of that schema, and hand them on as a dataset.

    Raises:
        EmptyDrop, MissingLabel, MissingColumn, DuplicateIds, InvalidLabel, NotFinite, UnsupportedColumn,
        UnsafeColumnName: see jobs/errors.py.
    """
    if len(table.ids) == 0:
        raise EmptyDrop(NO_ROWS)
    require_safe_names(table.numeric_names)
    _require_unique(table.ids, plan)
    _require_found(table, plan, schema)
    _require_finite(table)
    require_dates(table.dates)
    categories = [Categories(column.name, column.codes, column.levels) for column in table.categorical]
    y, classes = read_label(pd.Series(table.label.to_pandas()), plan.label, task, positive)
    return Dataset(
        ids=table.ids,
        X=table.numeric,
        names=table.numeric_names,
        categorical=tuple(column for column in categories if column.name not in report_by),
        report_by=tuple(column for column in categories if column.name in report_by),
        y=y.astype(np.float32),
        classes=classes,
        numbers=np.zeros(0) if classes else y.astype(np.float64),
        sequences=tuple(Sequences(each.name, each.indptr, each.codes, each.levels) for each in table.sequences),
        dates=tuple(Dates(column.name, column.moments) for column in table.dates),
        until=None if table.until is None else table.until.moments,
        coarse=_coarse_columns(schema, plan.numeric),
        group=None if table.group is None else _complete(table.group.to_pandas(), "group"),
        time=None if table.time is None else _in_order(_complete(table.time.to_pandas(), "time")),
        split=None if table.split is None else _complete(table.split.to_pandas(), "split"),
    )


def _require_found(table: Table, plan: ReadPlan, schema: DropSchema) -> None:
    """Refuse a name of a long drop that is neither a column nor a feature: reading leaves nothing but nulls of it."""
    values = {
        name: column for name in ("label", "group", "time", "split") if (column := getattr(table, name)) is not None
    }
    empty = {getattr(plan, role) for role, column in values.items() if column.null_count == len(column)}
    empty |= {column.name for column in table.categorical if not column.levels}
    missing = [name for name in plan.carried if name in empty and name not in schema.columns]
    where = f"neither a column of the drop ({listed(map(repr, schema.columns))}) nor a feature in it"
    if plan.label in missing:
        raise MissingLabel(f"the label {plan.label!r} is {where}. Correct table.label, or the job that writes the drop")
    if missing:
        raise MissingColumn(
            f"the problem names {listed(map(repr, missing))}, which is {where}. "
            "Correct the section 'table' of the problem file, or the drop"
        )


def _require_unique(ids: NDArray[np.generic], plan: ReadPlan) -> None:
    series = pd.Series(ids)
    nulls = int(series.isna().sum())
    if nulls:
        # The rows of a long drop are added up by id: how many had none is not known any more.
        found = "rows" if plan.shape == "long" else f"{nulls} row(s)"
        raise DuplicateIds(f"{found} have no id (null or NaN in {plan.id!r}). Every row needs an id")
    twice = series[series.duplicated()]
    if len(twice):
        raise DuplicateIds(
            f"{twice.nunique()} id(s) stand on more than one row: {listed(map(repr, twice.unique().tolist()))}. "
            "Write one row for each id; if these are events, declare table.shape: long"
        )


def _require_finite(table: Table) -> None:
    wrong = np.flatnonzero(~np.isfinite(table.numeric.data))
    if len(wrong):
        names = [table.numeric_names[int(k)] for k in np.unique(table.numeric.indices[wrong])]
        row = int(np.searchsorted(table.numeric.indptr, int(wrong[0]), side="right")) - 1
        raise NotFinite(
            f"{len(wrong)} value(s) are NaN, infinite or larger than 3.4e38, in {listed(map(repr, names))}; "
            f"the first on the row with id {table.ids[row : row + 1].tolist()[0]!r}. "
            "Write null for 'never happened', or list the column under table.ignore"
        )


def require_dates(columns: Iterable[DateColumn]) -> None:
    """Refuse texts that are no dates.

    Raises:
        UnsupportedColumn: there are some.
    """
    for column in columns:
        if column.unreadable:
            raise UnsupportedColumn(
                f"{column.name!r} stands under table.dates and holds text that is no date: "
                f"{listed(map(repr, column.unreadable))}. Write 2026-11-27 or 2026-11-27T18:05:00, and null for none; "
                "or list the column under table.categorical or table.ignore"
            )


def _complete(column: "pd.Series[str]", role: str) -> NDArray[np.generic]:
    nulls = int(column.isna().sum())
    if nulls:
        raise UnsupportedColumn(
            f"{nulls} row(s) are null in the {role} column (table.{role}). Every row needs a value there"
        )
    return column.to_numpy()


def _in_order(times: NDArray[np.generic]) -> NDArray[np.generic]:
    """Refuse texts whose alphabet is not their order in time: 27.11.2026, or week 9 before week 10."""
    if all(isinstance(time, str) for time in times):
        odd = sorted({str(time) for time in times if not _BIGGEST_FIRST.match(str(time))})
        if odd:
            raise UnsupportedColumn(
                f"the time column (table.time) is text that does not sort by time: {listed(map(repr, odd))}. "
                "Write it as a date, a timestamp, a number, or text with the year first: 2026-11-27"
            )
    return times


def _coarse_columns(schema: DropSchema, columns: Iterable[str]) -> frozenset[str]:
    """Columns that vary by less than float32 can tell: they read as constant, or as a few steps."""
    extremes = schema.extremes()
    known = {name: extremes[name] for name in columns if name in extremes}
    least = _FLOAT32_STEPS * _FLOAT32_STEP
    return frozenset(name for name, (low, high) in known.items() if 0 < high - low < least * max(abs(low), abs(high)))
