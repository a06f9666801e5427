"""What a drop must be: every fault has its name, says what was found, and what to do."""

import re
from datetime import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from config import Problem
from jobs.data.dataset import Dataset
from jobs.errors import (
    DuplicateIds,
    EmptyDrop,
    InputRejected,
    InvalidLabel,
    MissingColumn,
    MissingLabel,
    NotFinite,
    UnsafeColumnName,
    UnsupportedColumn,
)
from jobs.intake import take_in
from jobs.schema import plan_reading
from storage.parquet import DropSchema, inspect_parts
from tests.jobs.tables import problem_of
from tests.storage.parts import parts_of, read

GOOD = {"user_id": [3, 1, 2], "active": [1, 0, 1], "boss": [2.0, 0.0, 5.0], "skill": [0, 7, None]}


def declared(**table: object) -> Problem:
    return problem_of(table={"id": "user_id", "label": "active"} | table)


def take(columns: dict[str, object], problem: Problem | None = None) -> Dataset:
    """Write a drop, plan its reading, read it, and take it in."""
    parts = parts_of(pa.table(columns))
    schema = inspect_parts(parts.infos, parts.open)
    plan = plan_reading(schema, problem or declared())
    asked = (problem or declared()).table.positive
    return take_in(read(parts, plan), plan, schema, positive=asked)


def test_a_good_drop_becomes_a_dataset() -> None:
    data = take(GOOD)
    assert data.ids.tolist() == [1, 2, 3]
    assert data.names == ("boss", "skill")
    np.testing.assert_array_equal(data.X.toarray(), [[0, 7], [5, 0], [2, 0]])
    assert data.y.tolist() == [0, 1, 1]
    assert (data.y.dtype, data.classes, data.categorical) == (np.float32, ("0", "1"), ())
    assert (data.group, data.time, data.split) == (None, None, None)


NAN = float("nan")
LISTS = [[1], [2], []]
FAULTS = [
    (MissingLabel, {"user_id": [1], "boss": [1]}, {}, "the label column 'active' is not in the drop", "table.label"),
    (MissingColumn, {"active": [1, 0], "boss": [1, 2]}, {}, "the problem names 'user_id'", "Correct the section"),
    (MissingColumn, GOOD, {"categorical": ["colour"]}, "the problem names 'colour'", "Correct the section"),
    (MissingColumn, GOOD, {"group": "clan"}, "the problem names 'clan'", "Correct the section"),
    (MissingColumn, GOOD, {"time": "day"}, "the problem names 'day'", "Correct the section"),
    (MissingColumn, GOOD, {"split": "side"}, "the problem names 'side'", "Correct the section"),
    (EmptyDrop, {name: pa.array([], pa.int64()) for name in GOOD}, {}, "the drop has no rows", "Check the job"),
    (InvalidLabel, GOOD | {"active": [1, 1, 1]}, {}, "the label column holds only 1", "two classes"),
    (InvalidLabel, GOOD | {"active": ["a", "b", "c"]}, {}, "holds 3 values: 'a', 'b', 'c'", "two classes"),
    (InvalidLabel, GOOD | {"active": [1, None, 0]}, {}, "1 of 3 rows have no label", "Leave rows without a label out"),
    (InvalidLabel, GOOD | {"active": pa.nulls(3)}, {}, "3 of 3 rows have no label", "Leave rows without a label out"),
    (InvalidLabel, GOOD | {"active": [1.0, float("nan"), 0.0]}, {}, "1 of 3 rows have no label", "Leave rows"),
    (UnsupportedColumn, GOOD | {"colour": ["r", "g", "b"]}, {}, "'colour' (string)", "table.categorical"),
    (UnsupportedColumn, GOOD | {"tags": [[1], [2], []]}, {}, "'tags' (list", "List them under table.sequences if"),
    (
        UnsupportedColumn,
        GOOD | {"clan": ["x", None, "y"]},
        {"group": "clan"},
        "1 row(s) are null in the group",
        "value",
    ),
    (UnsupportedColumn, GOOD | {"day": [1, None, 2]}, {"time": "day"}, "1 row(s) are null in the time", "table.time"),
    (
        NotFinite,
        GOOD | {"boss": [1.0, float("nan"), 0.0]},
        {},
        "1 value(s) are NaN, infinite or larger than 3.4e38, in 'boss'",
        "id 1",
    ),
    (NotFinite, GOOD | {"boss": [1.0, 0.0, float("-inf")]}, {}, "in 'boss'; the first on the row with id", "null for"),
    (DuplicateIds, GOOD | {"user_id": [3, 3, 1]}, {}, "1 id(s) stand on more than one row: 3", "shape: long"),
    (NotFinite, GOOD | {"boss": [1.0, 0.0, 1e39]}, {}, "infinite or larger than 3.4e38, in 'boss'", "null for"),
    (DuplicateIds, GOOD | {"user_id": ["a", None, "b"]}, {}, "1 row(s) have no id", "Every row needs an id"),
    (DuplicateIds, GOOD | {"user_id": [1, None, 2]}, {}, "1 row(s) have no id", "Every row needs an id"),
    (DuplicateIds, GOOD | {"user_id": [NAN, NAN, 2.0]}, {}, "2 row(s) have no id (null or NaN in 'user_id')", "Every"),
    (UnsupportedColumn, GOOD | {"raw": [b"\xff", b"a", b"b"]}, {}, "'raw' (binary)", "else under table.ignore"),
    (UnsupportedColumn, GOOD | {"tags": LISTS, "t": ["a", "b", "c"]}, {}, "'t' (string), 'tags' (list", "only be ig"),
    (UnsupportedColumn, GOOD | {"raw": [b"\xff", b"a", b"b"]}, {"categorical": ["raw"]}, "'raw' (binary)", "Cast them"),
    *(
        (UnsupportedColumn, GOOD | {"tags": LISTS}, table, "'tags' (list<element: int64>)", "Flatten them where")
        for table in ({"categorical": ["tags"]}, {"group": "tags"}, {"time": "tags"}, {"split": "tags"}, {"id": "tags"})
    ),
    (UnsupportedColumn, GOOD | {"active": LISTS}, {}, "'active' (list<element: int64>)", "Flatten them where"),
    (UnsupportedColumn, GOOD | {"active": [{"a": 1}] * 3}, {}, "'active' (struct<a: int64>)", "Flatten them where"),
]


@pytest.mark.parametrize(("error", "columns", "table", "found", "advice"), FAULTS)
def test_every_fault_is_named_with_what_was_found_and_what_to_do(
    error: type[InputRejected], columns: dict[str, object], table: dict[str, object], found: str, advice: str
) -> None:
    with pytest.raises(InputRejected) as caught:
        take(columns, declared(**table))
    assert type(caught.value) is error
    assert found in str(caught.value)
    assert advice in str(caught.value)


def test_a_marker_alone_is_an_empty_drop_and_nothing_is_called_safe() -> None:
    with pytest.raises(EmptyDrop, match=r"^there are no parts beside the marker\. Check the job that wrote it$"):
        plan_reading(DropSchema({}, ()), declared())
    with pytest.raises(EmptyDrop, match=r"^the drop has no rows\. Check the job that wrote it$"):
        take({name: pa.array([], pa.int64()) for name in GOOD})


@pytest.mark.parametrize("name", ['a"b', "a'b", "a\nb", "a\tb", "<script>alert(1)</script>", "a`b", "a\x7fb", "  ", ""])
def test_an_unsafe_name_is_refused_and_spelled_without_its_power(name: str) -> None:
    with pytest.raises(UnsafeColumnName, match=r"1 column name\(s\) hold quotes.*table\.ignore") as caught:
        take(GOOD | {name: [1, 2, 3]})
    assert ascii(name) in str(caught.value)
    assert not re.search(r"[\x00-\x1f\x7f]", str(caught.value))


def test_an_unsafe_name_is_the_first_fault_of_a_column_that_has_two() -> None:
    with pytest.raises(UnsafeColumnName, match="<script>"):
        take(GOOD | {"<script>": ["text", "text", "text"]})


def test_an_unsafe_name_may_be_ignored() -> None:
    assert take(GOOD | {'a"b': [1, 2, 3]}, declared(ignore=['a"b'])).names == ("boss", "skill")


def test_unsafe_names_of_features_of_a_long_drop_are_refused() -> None:
    long = {
        "user_id": [1, 1, 2, 2],
        "feature": ["active", "<script>", "active", "boss"],
        "value": [1.0, 2.0, 0.0, 3.0],
    }
    with pytest.raises(UnsafeColumnName, match="<script>"):
        take(long, declared(shape="long"))


def test_many_faulty_columns_are_counted_and_some_named() -> None:
    text = {f"t{k}": ["a", "b", "c"] for k in range(8)}
    with pytest.raises(UnsupportedColumn, match=r"^8 column\(s\).*'t0' \(string\).*'t4' \(string\) and 3 more\."):
        take(GOOD | text)


LONG = {"user_id": [1, 1, 2], "feature": ["active", "boss", "active"], "value": [1.0, 2.0, 0.0]}


def test_what_the_problem_names_may_be_a_feature_of_a_long_drop() -> None:
    data = take(LONG, declared(shape="long", categorical=["boss"]))
    assert (data.y.tolist(), data.categorical[0].levels, data.names) == ([1, 0], ("2",), ())


@pytest.mark.parametrize(
    ("table", "error", "found"),
    [
        ({"label": "actve"}, MissingLabel, "the label 'actve' is neither a column of the drop .* nor a feature in it"),
        ({"categorical": ["bos"]}, MissingColumn, "the problem names 'bos', which is neither a column of the drop"),
        ({"group": "clan"}, MissingColumn, "the problem names 'clan'"),
        ({"time": "day"}, MissingColumn, "the problem names 'day'"),
        ({"split": "side"}, MissingColumn, "the problem names 'side'"),
    ],
)
def test_a_name_found_nowhere_in_a_long_drop_is_missing(
    table: dict[str, object], error: type[MissingColumn], found: str
) -> None:
    with pytest.raises(MissingColumn, match=found) as caught:
        take(LONG, declared(shape="long", **table))
    assert type(caught.value) is error


def test_rows_of_a_long_drop_without_an_id_are_refused_and_not_miscounted() -> None:
    with pytest.raises(DuplicateIds, match=r"^rows have no id \(null or NaN in 'user_id'\)"):
        take(LONG | {"user_id": [1.0, NAN, NAN]}, declared(shape="long"))


def test_a_missing_value_column_of_a_long_drop_is_named() -> None:
    with pytest.raises(MissingColumn, match="the problem names 'value'"):
        take({"user_id": [1], "feature": ["a"]}, declared(shape="long"))


@pytest.mark.parametrize(
    ("label", "y", "positive"),
    [
        ([True, False, True], [0, 1, 1], "True"),
        (["yes", "no", "yes"], [0, 1, 1], "yes"),
        ([2, 1, 2], [0, 1, 1], "2"),
        ([0.0, 1.5, 1.5], [1, 1, 0], "1.5"),
        (pa.array(["b", "a", "b"]).dictionary_encode(), [0, 1, 1], "b"),
        (pa.array([Decimal("1.0"), Decimal("0.0"), Decimal("1.0")]), [0, 1, 1], "1.0"),
    ],
    ids=["bool", "string", "integers", "floats", "dictionary", "decimal"],
)
def test_labels_of_two_values_are_taken_the_greater_is_positive(label: object, y: list[int], positive: str) -> None:
    data = take(GOOD | {"active": label})
    assert data.y.tolist() == y  # ids 1, 2, 3 are rows 1, 2, 0
    assert data.classes[1] == positive


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (pa.nulls(3), [0, 0, 0]),
        ([True, None, False], [0, 0, 1]),
        (pa.array([Decimal("1.5"), None, Decimal("2.0")]), [0, 2, 1.5]),
        (pa.array([1, 2, 3], pa.uint8()), [2, 3, 1]),
    ],
    ids=["null", "bool", "decimal", "uint8"],
)
def test_numbers_of_many_types_are_taken_and_null_is_zero(values: object, wanted: list[float]) -> None:
    data = take(GOOD | {"extra": values})
    assert data.names == ("boss", "extra", "skill")
    np.testing.assert_array_equal(data.X.toarray()[:, 1], wanted)


def test_declared_roles_are_handed_on_and_are_no_features() -> None:
    problem = declared(categorical=["colour"], group="clan", time="day", split="side", ignore=["note"])
    extra = {
        "colour": ["red", None, "blue"],
        "clan": ["x", "y", "x"],
        "day": pa.array([3, 1, 2], pa.date32()),
        "side": ["train", "valid", "test"],
        "note": ["?", "!", "."],
    }
    data = take(GOOD | extra, problem)
    assert data.names == ("boss", "skill")
    (colour,) = data.categorical
    assert (colour.name, colour.levels, colour.codes.tolist()) == ("colour", ("blue", "red"), [-1, 0, 1])
    assert data.group is not None
    assert data.group.tolist() == ["y", "x", "x"]
    assert data.time is not None
    assert np.argsort(data.time).tolist() == [0, 1, 2]
    assert data.split is not None
    assert data.split.tolist() == ["valid", "test", "train"]


@pytest.mark.parametrize(
    ("sections", "found"),
    [
        ({"net": {"factorise": ["boss", "clan"]}}, "net.factorise names 'clan', which the drop does not have"),
        ({"rank": {"by": "skill", "items": ["boss", "brand"]}}, "rank.items names 'brand', which the drop does not"),
    ],
)
def test_columns_that_go_together_or_belong_to_an_item_must_be_there(sections: dict[str, object], found: str) -> None:
    problem = problem_of(table={"id": "user_id", "label": "active"}, **sections)
    with pytest.raises(MissingColumn, match=re.escape(found)):
        take(GOOD, problem)


DATES = {
    "joined": ["2026-01-05", None, "2026-01-07T10:00:00Z"],
    "seen": pa.array([20_454, 20_455, 20_456], pa.date32()),
}


def test_dates_are_taken_in_and_counted_up_to_the_time_of_the_row() -> None:
    data = take(GOOD | DATES, declared(dates=["joined"], time="seen"))
    assert data.until is not None
    found = dict(
        zip(data.ids.tolist(), zip(data.dates[0].moments.tolist(), data.until.tolist(), strict=True), strict=True)
    )
    assert [found[user] for user in GOOD["user_id"]] == [
        (datetime.fromisoformat("2026-01-05"), datetime.fromisoformat("2026-01-01")),
        (None, datetime.fromisoformat("2026-01-02")),
        (datetime.fromisoformat("2026-01-07T10:00:00"), datetime.fromisoformat("2026-01-03")),
    ]
    weeks = take(GOOD | DATES | {"seen": [1, 2, 3]}, declared(dates=["joined"], time="seen"))
    assert weeks.until is None  # numbers of weeks order the rows, and are no dates


def test_dates_of_a_long_drop_are_columns_of_it() -> None:
    long = LONG | {"joined": pa.array([20_454, 20_454, None], pa.date32())}
    data = take(long, declared(shape="long", dates=["joined"]))
    assert (data.names, np.isnat(data.dates[0].moments).tolist()) == (("boss",), [False, True])
    with pytest.raises(MissingColumn, match="'boss'"):
        take(LONG, declared(shape="long", dates=["boss"]))


def test_what_is_no_date_is_told() -> None:
    with pytest.raises(UnsupportedColumn, match=r"'joined' \(int64\)\. Cast them"):
        take(GOOD | {"joined": [20_000, 20_001, 20_002]}, declared(dates=["joined"]))
    with pytest.raises(UnsupportedColumn, match=r"'joined' stands under table\.dates.*no date: '05\.01\.2026'"):
        take(GOOD | {"joined": ["05.01.2026", "2026-01-06", None]}, declared(dates=["joined"]))
    with pytest.raises(UnsupportedColumn, match=r"'joined' \(string\).*under table\.dates"):
        take(GOOD | {"joined": ["2026-01-05"] * 3})


def test_the_positive_class_can_be_named() -> None:
    texts = GOOD | {"active": ["stay", "churn", "stay"]}
    later = take(texts)
    named = take(texts, declared(positive="churn"))
    assert (later.classes, named.classes) == (("churn", "stay"), ("stay", "churn"))
    np.testing.assert_array_equal(named.y, 1 - later.y)
    assert take(GOOD, declared(positive=0)).classes == ("1", "0")
    with pytest.raises(InvalidLabel, match=r"table\.positive is 'left', and the label column 'active' holds 2 values"):
        take(texts, declared(positive="left"))


@pytest.mark.parametrize("times", [
    ["2026-01-09", "2026-01-10", "2026-02-01"],
    ["2026-01-09 10:00", "2026-01-10T11:00:00Z", "2026-02-01"],
    ["2026", "2027", "2028"],
    ["2026-W09", "2026-W10", "2026-W11"],
    ["20260109", "20260110", "20260201"],
])  # fmt: skip
def test_times_of_text_may_have_the_year_first(times: list[str]) -> None:
    assert take(GOOD | {"day": times}, declared(time="day")).time is not None


@pytest.mark.parametrize("day", ["09.01.2026", "9/1/2026", "week 9", "2026-1-9x", "Jan 2026"])
def test_times_of_text_that_do_not_sort_by_time_are_told(day: str) -> None:
    with pytest.raises(UnsupportedColumn, match=r"table\.time.*year first"):
        take(GOOD | {"day": [day, "2026-01-10", "2026-01-11"]}, declared(time="day"))
