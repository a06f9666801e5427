"""Judges a drop: what its schema and its values must be for the problem to make sense. The only validator of data.

`plan_reading` judges the footers before anything is decoded, `take_in` the values. Every fault is a named error that
says what was found, where, and what to do; the drop is then quarantined, untouched.
"""

import re
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from config import Problem
from jobs.data.dataset import Categories, Dataset, Sequences
from jobs.errors import (
    DuplicateIds,
    EmptyDrop,
    MissingColumn,
    MissingLabel,
    NotFinite,
    UnsafeColumnName,
    UnsupportedColumn,
)
from jobs.labels import listed, read_label
from jobs.net.tasks import TaskKind
from storage.arrow import Kind
from storage.carried import is_bytes, is_nested
from storage.parquet import DropSchema
from storage.plan import ReadPlan
from storage.table import Table
from storage.widening import is_list_of_items, is_readable_number, is_text

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"'`<>]")
_NO_ROWS = "the drop has no rows. Check the job that wrote it"
_FLOAT32_STEP = 2.0**-23  # relative distance of neighbours
_FLOAT32_STEPS = 16  # so many of them at least must lie between the extremes of a column


def plan_reading(schema: DropSchema, problem: Problem) -> ReadPlan:
    """Decide which column plays which part.

    Raises:
        EmptyDrop: there are no parts, or no rows.
        MissingLabel, MissingColumn: a named column is not there.
        UnsupportedColumn: a column that is named nowhere is no number, or a named one holds lists or bytes.
        UnsafeColumnName: a column that would be read has a name that no report can carry safely.
    """
    table = problem.table
    if not schema.parts:
        raise EmptyDrop("there are no parts beside the marker. Check the job that wrote it")
    if schema.n_rows == 0:
        raise EmptyDrop(_NO_ROWS)
    long = table.shape == "long"
    plan = ReadPlan(
        id=table.id,
        label=table.label,
        numeric=() if long else _numeric_columns(schema, problem),
        categorical=(*table.categorical, *table.report_by),
        sequences=tuple((name, asked.delimiter) for name, asked in sorted(table.sequences.items())),
        group=table.group,
        time=table.time,
        split=table.split,
        shape=table.shape,
        feature=table.feature if long else (),
        value=table.value if long else "",
        ignore=table.ignore,
    )
    _require_columns(schema, plan)
    _require_used(schema, problem)
    _require_flat_text(schema, plan)
    _require_safe_names([plan.id, *plan.carried, *(name for name, _ in plan.sequences), *plan.numeric])
    return plan


def take_in(
    table: Table, plan: ReadPlan, schema: DropSchema, task: TaskKind = "binary", report_by: Collection[str] = ()
) -> Dataset:
    """Judge the values of a table, read by that plan from a drop of that schema, and hand them on as a dataset.

    Raises:
        EmptyDrop, MissingLabel, MissingColumn, DuplicateIds, InvalidLabel, NotFinite, UnsupportedColumn,
        UnsafeColumnName: see jobs/errors.py.
    """
    if len(table.ids) == 0:
        raise EmptyDrop(_NO_ROWS)
    _require_safe_names(table.numeric_names)
    _require_unique(table.ids, plan)
    _require_found(table, plan, schema)
    _require_finite(table)
    categories = [Categories(column.name, column.codes, column.levels) for column in table.categorical]
    y, classes = read_label(pd.Series(table.label.to_pandas()), plan.label, task)
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
        coarse=_coarse_columns(schema, plan.numeric),
        group=None if table.group is None else _complete(table.group.to_pandas(), "group"),
        time=None if table.time is None else _complete(table.time.to_pandas(), "time"),
        split=None if table.split is None else _complete(table.split.to_pandas(), "split"),
    )


def _numeric_columns(schema: DropSchema, problem: Problem) -> tuple[str, ...]:
    """All columns that are named nowhere in the problem; folders of a partition (dt=...) are no columns of the data."""
    table = problem.table
    named = {
        table.id,
        table.label,
        table.group,
        table.time,
        table.split,
        *table.ignore,
        *table.categorical,
        *table.sequences,
        *table.report_by,
    }
    rest = [name for name in schema.columns if name not in named and name not in schema.partition_columns]
    _require_safe_names(rest)
    wrong = {name: schema.columns[name] for name in rest if not is_readable_number(schema.columns[name])}
    if wrong:
        raise UnsupportedColumn(
            f"{len(wrong)} column(s) hold no numbers and are not declared: {_typed(wrong)}. {_advice(wrong.values())}"
        )
    return tuple(rest)


def _advice(types: Collection[Kind]) -> str:
    """What to do with columns that are no numbers: only those of flat text may be categories."""
    unfit = [is_nested(kind) or is_bytes(kind) for kind in types]
    if all(unfit):
        return (
            "List them under table.sequences if they are lists, else under table.ignore: structs and bytes are not read"
        )
    rest = ". Lists, structs and bytes are not read, and can only be ignored" if any(unfit) else ""
    return (
        "List them under table.categorical if their values are categories, under table.sequences if they hold several "
        f"items, or under table.ignore{rest}"
    )


def _require_flat_text(schema: DropSchema, plan: ReadPlan) -> None:
    """Refuse lists, structs and bytes in every column that the problem names; in a long drop some are features."""
    named = dict.fromkeys((plan.id, *plan.carried, *plan.feature, *((plan.value,) if plan.shape == "long" else ())))
    types = {name: schema.columns[name] for name in named if name in schema.columns}
    nested = {name: kind for name, kind in types.items() if is_nested(kind)}
    if nested:
        raise UnsupportedColumn(
            f"{len(nested)} column(s) that the problem names hold lists or structs: {_typed(nested)}. "
            "Flatten them where the drop is written, or list them under table.ignore and nowhere else"
        )
    types |= {name: schema.columns[name] for name, _ in plan.sequences if name in schema.columns}
    odd = {name: types[name] for name, _ in plan.sequences if name in types and not _holds_items(types[name])}
    if odd:
        raise UnsupportedColumn(
            f"{len(odd)} column(s) under table.sequences are neither lists of flat items nor text: {_typed(odd)}. "
            "Write one list, or one delimited text, for each row"
        )
    raw = {name: kind for name, kind in types.items() if is_bytes(kind)}
    if raw:
        raise UnsupportedColumn(
            f"{len(raw)} column(s) that the problem names hold bytes, which need not be text: {_typed(raw)}. "
            "Cast them to text where the drop is written, or list them under table.ignore and nowhere else"
        )


def _holds_items(kind: Kind) -> bool:
    return is_list_of_items(kind) or is_text(kind) or is_readable_number(kind) or is_bytes(kind)


def _require_columns(schema: DropSchema, plan: ReadPlan) -> None:
    long = plan.shape == "long"
    if plan.label not in schema.columns and not long:
        raise MissingLabel(
            f"the label column {plan.label!r} is not in the drop, which has {listed(map(repr, schema.columns))}. "
            "Correct table.label, or the job that writes the drop"
        )
    carried = () if long else plan.carried  # in a long drop these may be features
    wanted = (plan.id, *carried, *(name for name, _ in plan.sequences), *plan.feature, *((plan.value,) if long else ()))
    missing = [name for name in wanted if name not in schema.columns]
    if missing:
        raise MissingColumn(
            f"the problem names {listed(map(repr, missing))}, which the drop does not have: its columns are "
            f"{listed(map(repr, schema.columns))}. Correct the section 'table' of the problem file, or the drop"
        )


def _require_used(schema: DropSchema, problem: Problem) -> None:
    """Refuse columns that go together, or belong to an item, and are not there; in a long drop some are features."""
    named = {"net.factorise": problem.net.factorise, "rank.items": problem.rank.items if problem.rank else ()}
    for key, names in named.items() if problem.table.shape == "wide" else ():
        if missing := [name for name in names if name not in schema.columns]:
            raise MissingColumn(
                f"{key} names {listed(map(repr, missing))}, which the drop does not have: its columns are "
                f"{listed(map(repr, schema.columns))}. Correct {key} in the problem file, or the drop"
            )


def _require_safe_names(names: Iterable[str]) -> None:
    unsafe = [name for name in names if _UNSAFE.search(name) or not name.strip()]
    if unsafe:
        raise UnsafeColumnName(
            f"{len(unsafe)} column name(s) hold quotes, angle brackets or control characters, or are blank: "
            f"{listed(map(ascii, unsafe))}. Rename them where the drop is written, or list them under table.ignore"
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


def _complete(column: "pd.Series[str]", role: str) -> NDArray[np.generic]:
    nulls = int(column.isna().sum())
    if nulls:
        raise UnsupportedColumn(
            f"{nulls} row(s) are null in the {role} column (table.{role}). Every row needs a value there"
        )
    return column.to_numpy()


def _typed(columns: Mapping[str, Kind]) -> str:
    return listed(f"{name!r} ({kind})" for name, kind in columns.items())


def _coarse_columns(schema: DropSchema, columns: Iterable[str]) -> frozenset[str]:
    """Columns that vary by less than float32 can tell: they read as constant, or as a few steps."""
    extremes = schema.extremes()
    known = {name: extremes[name] for name in columns if name in extremes}
    least = _FLOAT32_STEPS * _FLOAT32_STEP
    return frozenset(name for name, (low, high) in known.items() if 0 < high - low < least * max(abs(low), abs(high)))
