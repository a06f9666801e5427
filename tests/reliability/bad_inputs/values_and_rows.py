"""Values that cannot be learned from, and tables that are too small, too wide, or too large once they are decoded."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from tests.reliability.bad_inputs.cases import COMMITTED, N_ROWS, Case, Write, body, columns, files, part_name, table

_C0 = columns()["c0"].to_pylist()
_LABEL = columns()["active"].to_pylist()


def _with(values: list[object], place: int, value: object) -> list[object]:
    return [*values[:place], value, *values[place + 1 :]]


def _feature(value: float) -> Write:
    return table(c0=pa.array(_with(_C0, 7, value), pa.float64(), from_pandas=False))


def _label(of: Callable[[int], object], kind: pa.DataType | None = None) -> Write:
    return table(active=pa.array([of(label) for label in _LABEL], kind))


def _ids(of: Callable[[int], object], kind: pa.DataType | None = None) -> Write:
    return table(user_id=pa.array([of(i) for i in range(N_ROWS)], kind))


def _rows(n_rows: int) -> Write:
    return files({part_name(): body(columns(n_rows))})


def _positives(count: int) -> Write:
    return table(active=pa.array([1] * count + [0] * (N_ROWS - count)))


def _text_bomb(n_rows: int, letters: int) -> Write:
    """Return what writes a label of `letters` letters, kept once and meant `n_rows` times."""
    texts = pa.DictionaryArray.from_arrays(np.zeros(n_rows, np.int32), pa.array(["x" * letters]))
    made = {"user_id": pa.array(np.arange(n_rows)), "c0": pa.array(np.ones(n_rows, np.int8)), "active": texts}
    return files({part_name(): body(made, store_schema=False)})


def _row_bomb(n_rows: int) -> Write:
    """Return what writes a column of ones in runs: some KB that are gigabytes of rows."""
    made = {"user_id": pa.array(np.zeros(n_rows, np.int8)), "active": pa.array(np.zeros(n_rows, np.int8))}
    return files({part_name(): body(made)})


def _many_parts(count: int) -> Write:
    whole = pa.table(columns(2 * count))
    return files({part_name(i): body(whole.slice(2 * i, 2)) for i in range(count)})


def _wide(count: int) -> Write:
    zero, one = pa.array(np.zeros(N_ROWS, np.int8)), pa.array(np.arange(N_ROWS) % 2, pa.int8())
    extra = {f"w{i}": one if i % 1000 == 0 else zero for i in range(count)}
    return files({part_name(): body({**columns(), **extra}, write_statistics=True)})


ROWS = {
    0: "EmptyDrop",
    1: "InvalidLabel",
    2: "TooFewRows",
    3: "TooFewRows",
    5: "TooFewRows",
    10: "TooFewRows",
    20: COMMITTED,
    40: COMMITTED,
}

CASES = [
    Case("nan", _feature(float("nan")), "NotFinite", "'c0'"),
    Case("infinity", _feature(float("inf")), "NotFinite", "'c0'"),
    Case("minus infinity", _feature(float("-inf")), "NotFinite", "'c0'"),
    Case("huge number", _feature(1e300), "NotFinite", "'c0'"),
    Case("smallest number", _feature(5e-324), COMMITTED),
    Case("negative count", _feature(-1e9), COMMITTED),
    Case("greatest int64", table(extra=pa.array([2**63 - 1] * N_ROWS)), COMMITTED),
    Case("all nulls", table(extra=pa.nulls(N_ROWS, pa.float64())), COMMITTED),
    Case(
        "every column is constant",
        table(**{f"c{k}": pa.array([1.0] * N_ROWS) for k in range(6)}),
        "NoUsableColumn",
        "constant",
    ),
    Case("no column but id and label", table(**{f"c{k}": None for k in range(6)}), "NoUsableColumn", "none of 0"),
    Case("no label", table(active=None), "MissingLabel", "'active'"),
    Case("no id", table(user_id=None), "MissingColumn", "'user_id'"),
    Case("label with a null", _label(lambda v: None if v else 0), "InvalidLabel", "no label"),
    Case("label of one class", _label(lambda _: 1), "InvalidLabel", "only 1"),
    Case("label of three classes", table(active=pa.array([i % 3 for i in range(N_ROWS)])), "InvalidLabel", "3 values"),
    Case("label of texts", _label(lambda v: "yes" if v else "no"), COMMITTED),
    Case("label of bools", _label(bool), COMMITTED),
    Case("label of minus one and one", _label(lambda v: 2 * v - 1), COMMITTED),
    Case("label of halves", _label(lambda v: v / 2), COMMITTED),
    Case("label of nan", _label(lambda v: float("nan") if v else 0.0, pa.float64()), "InvalidLabel"),
    Case("label of nothing", table(active=pa.nulls(N_ROWS)), "InvalidLabel", "no label"),
    Case("label of empty texts", _label(lambda v: "" if v else "x"), COMMITTED),
    Case("one positive", _positives(1), "TooFewRows", "1 of them positive"),
    Case("two positives", _positives(2), "TooFewRows"),
    Case("five positives", _positives(5), "TooFewRows"),
    Case("one negative", _positives(N_ROWS - 1), "TooFewRows"),
    Case("the same id twice", _ids(lambda i: max(i, 1)), "DuplicateIds", "1"),
    Case("a null id", _ids(lambda i: i or None), "DuplicateIds", "no id"),
    Case("a nan id", _ids(lambda i: i or float("nan"), pa.float64()), "DuplicateIds", "no id"),
    Case("empty id", _ids(lambda i: f"u{i}" if i else ""), COMMITTED),
    Case("ids that a csv would run", _ids(lambda i: f"=cmd|{i}"), COMMITTED),
    Case("ids that a page would run", _ids(lambda i: f"<script>{i}</script>"), COMMITTED),
    Case("ids in many scripts", _ids(lambda i: f"사용자 ü 😀 \u202e {i}"), COMMITTED),
    Case("ids with newlines and NUL", _ids(lambda i: f"a\n\0\t{i}"), COMMITTED),
    Case("id of a million letters", _ids(lambda i: f"{i}" + "x" * (10**6 if i == 7 else 0)), COMMITTED),
    *(Case(f"{n} rows", _rows(n), ends) for n, ends in ROWS.items()),
    Case("empty parts beside full ones", files({part_name(0): body(columns(0)), part_name(1): body()}), COMMITTED),
    Case("10,001 parts", _many_parts(10_001), COMMITTED),
    Case("100,000 columns", _wide(100_000), COMMITTED),
    Case("label that decodes to 100 GB", _text_bomb(10**6, 10**5), "CorruptObject", "GB of text"),
    Case("a billion rows in some KB", _row_bomb(10**9), "OutOfMemory", "max_memory"),
]
