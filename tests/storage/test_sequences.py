"""Columns that hold several items a row: lists, or text with a delimiter, in the order of the rows."""

import pyarrow as pa
import pytest

from storage.errors import SchemaConflict
from storage.plan import ReadPlan
from storage.sequences import SequenceColumn, items_of
from tests.storage.parts import parts_of, read

LISTS = [["b", "a", "b"], [], None, ["c"], ["a"]]


def rows_of(column: SequenceColumn) -> list[list[str]]:
    texts = [column.levels[code] for code in column.codes]
    return [texts[a:b] for a, b in zip(column.indptr[:-1], column.indptr[1:], strict=True)]


def read_items(*tables: pa.Table, delimiter: str = ",") -> list[list[str]]:
    plan = ReadPlan(id="id", label="y", sequences=(("s", delimiter),))
    (column,) = read(parts_of(*tables, row_group_size=2), plan).sequences
    assert column.levels == tuple(sorted(column.levels))
    return rows_of(column)


def table(ids: list[int], values: object, kind: object = None) -> pa.Table:
    return pa.table({"id": ids, "y": [0] * len(ids), "s": pa.array(values, kind)})


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (LISTS, pa.list_(pa.string())),
        (LISTS, pa.large_list(pa.string())),
        (["b,a,b", "", None, "c", "a"], pa.string()),
        ([" b , a,b", " ", None, ",c,", "a"], pa.string()),
    ],
)
def test_lists_and_texts_give_the_same_items(values: object, kind: object) -> None:
    assert read_items(table([1, 2, 3, 4, 5], values, kind)) == [["b", "a", "b"], [], [], ["c"], ["a"]]


def test_rows_are_in_the_order_of_their_ids_over_all_parts() -> None:
    found = read_items(table([5, 1], ["e,e", "a"]), table([4, 2, 3], ["", "b,x", "c"]))
    assert found == [["a"], ["b", "x"], ["c"], [], ["e", "e"]]


def test_items_may_be_numbers_and_the_delimiter_another_one() -> None:
    assert read_items(table([1, 2], [[3, 10], [None, 3]], pa.list_(pa.int64()))) == [["3", "10"], ["3"]]
    assert read_items(table([1, 2], ["a b", "c,d"]), delimiter=" ") == [["a", "b"], ["c,d"]]


def test_a_dictionary_of_texts_is_taken_apart_too() -> None:
    column = pa.chunked_array([pa.array(["a,b", "a,b", None]).dictionary_encode()])
    found = items_of(column, ",")
    assert (found.lengths.tolist(), found.codes.tolist(), found.levels) == ([2, 2, 0], [0, 1, 0, 1], ("a", "b"))


def test_lists_of_lists_are_refused() -> None:
    nested = table([1], [[["a"]]], pa.list_(pa.list_(pa.string())))
    with pytest.raises(SchemaConflict, match="no column of items 's'"):
        read_items(nested)
