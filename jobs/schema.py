"""Judges the schema of a drop before anything of it is decoded: which column plays which part, and can it.

Every fault is a named error that says what was found, where, and what to do; the drop is then quarantined, untouched.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from config import Problem
from config.sections import TableSettings
from jobs.errors import EmptyDrop, MissingColumn, MissingLabel, UnsafeColumnName, UnsupportedColumn
from jobs.labels import listed
from storage.arrow import Kind
from storage.carried import is_bytes, is_nested
from storage.dates import holds_dates, is_temporal
from storage.parquet import DropSchema
from storage.plan import ReadPlan
from storage.widening import is_list_of_items, is_readable_number, is_text

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"'`<>]")
NO_ROWS = "the drop has no rows. Check the job that wrote it"


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
        raise EmptyDrop(NO_ROWS)
    long = table.shape == "long"
    plan = ReadPlan(
        id=table.id,
        label=table.label,
        numeric=() if long else _numeric_columns(schema, problem),
        categorical=(*table.categorical, *table.report_by),
        sequences=tuple((name, asked.delimiter) for name, asked in sorted(table.sequences.items())),
        dates=table.dates,
        until=_time_of_rows(schema, table),
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
    require_safe_names([plan.id, *plan.carried, *(name for name, _ in plan.sequences), *plan.numeric])
    return plan


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
        *table.dates,
        *table.report_by,
    }
    rest = [name for name in schema.columns if name not in named and name not in schema.partition_columns]
    require_safe_names(rest)
    wrong = {name: schema.columns[name] for name in rest if not is_readable_number(schema.columns[name])}
    if wrong:
        raise UnsupportedColumn(
            f"{len(wrong)} column(s) hold no numbers and are not declared: {_typed(wrong)}. {_advice(wrong.values())}"
        )
    return tuple(rest)


def _time_of_rows(schema: DropSchema, table: TableSettings) -> str | None:
    """The column that dates are counted up to: that of time, if it holds dates and not, say, numbers of weeks."""
    if table.time is None or not table.dates or table.time not in schema.columns:
        return None
    return table.time if is_temporal(schema.columns[table.time]) else None


def _advice(types: Collection[Kind]) -> str:
    """What to do with columns that are no numbers: only those of flat text may be categories."""
    unfit = [is_nested(kind) or is_bytes(kind) for kind in types]
    if all(unfit):
        return (
            "List them under table.sequences if they are lists, else under table.ignore: structs and bytes are not read"
        )
    rest = ". Structs and bytes are not read, and can only be ignored" if any(unfit) else ""
    return (
        "List them under table.categorical if their values are categories, under table.dates if they are dates, under "
        f"table.sequences if they hold several items, or under table.ignore{rest}"
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
    undated = {name: types[name] for name in plan.dates if name in types and not holds_dates(types[name])}
    if undated:
        raise UnsupportedColumn(
            f"{len(undated)} column(s) under table.dates are neither dates, timestamps nor text: {_typed(undated)}. "
            "Cast them where the drop is written: to_timestamp(seconds) makes a date of seconds since 1970"
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
    of_long = (*plan.feature, plan.value, *plan.dates) if long else ()
    wanted = (plan.id, *carried, *(name for name, _ in plan.sequences), *of_long)
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


def require_safe_names(names: Iterable[str]) -> None:
    """Refuse names that no report can carry safely.

    Raises:
        UnsafeColumnName: there are some.
    """
    unsafe = [name for name in names if _UNSAFE.search(name) or not name.strip()]
    if unsafe:
        raise UnsafeColumnName(
            f"{len(unsafe)} column name(s) hold quotes, angle brackets or control characters, or are blank: "
            f"{listed(map(ascii, unsafe))}. Rename them where the drop is written, or list them under table.ignore"
        )


def _typed(columns: Mapping[str, Kind]) -> str:
    return listed(f"{name!r} ({kind})" for name, kind in columns.items())
