"""Names of columns, folders and parts that somebody will use one day."""

import pyarrow as pa

from tests.reliability.bad_inputs.cases import COMMITTED, N_ROWS, Case, Write, body, columns, files, part_name

_COUNTS = pa.array([i % 3 for i in range(N_ROWS)])


def _column(name: str) -> Write:
    return files({part_name(): body({**columns(), name: _COUNTS})})


def _twice() -> Write:
    made = columns()
    names, arrays = [*made, "c0"], [*made.values(), _COUNTS]
    return files({part_name(): body(pa.Table.from_arrays(arrays, names))})


# What a page, a spreadsheet or a shell would take for something else is refused; the rest is only text.
COLUMNS = {
    'a"b': "UnsafeColumnName",
    "a'b": "UnsafeColumnName",
    "a\nb": "UnsafeColumnName",
    "a\rb": "UnsafeColumnName",
    "a\tb": "UnsafeColumnName",
    "a\0b": "UnsafeColumnName",
    "<script>alert(1)</script>": "UnsafeColumnName",
    "a&amp;b": COMMITTED,
    "=cmd|'/c calc'!A1": "UnsafeColumnName",
    "+1": COMMITTED,
    "-1": COMMITTED,
    "@SUM(A1)": COMMITTED,
    " ": "UnsafeColumnName",
    "": "UnsafeColumnName",
    " leading and trailing ": COMMITTED,
    "a.b": COMMITTED,
    "a/b": COMMITTED,
    "../../etc/passwd": COMMITTED,
    "a\\b": COMMITTED,
    "%s %d {0} ${HOME} `id`": "UnsafeColumnName",
    "; DROP TABLE users; --": COMMITTED,
    "ünïcödé": COMMITTED,
    "사용자_점수": COMMITTED,
    "😀": COMMITTED,
    "\u202eright to left": COMMITTED,
    "\ufeffbom": COMMITTED,
    "e\u0301": COMMITTED,
    "x" * 1_000: COMMITTED,
    "x" * 100_000: COMMITTED,
    "feature": COMMITTED,
    "rank": COMMITTED,
    "user_id_": COMMITTED,
    "C0": COMMITTED,
    "__index_level_0__": COMMITTED,
    "None": COMMITTED,
    "nan": COMMITTED,
    "true": COMMITTED,
    "1": COMMITTED,
    "dt=1": COMMITTED,
}

# Parts and folders: keys are kept as they are.
KEYS = {
    "space": "dt=a b/" + part_name(),
    "percent": "dt=a%20b/" + part_name(),
    "percent that is no escape": "dt=100%/" + part_name(),
    "plus and ampersand": "a+b&c/" + part_name(),
    "hash and question mark": "a#b?c/" + part_name(),
    "quotes": "a\"b'c/" + part_name(),
    "backslash": "a\\b/" + part_name(),
    "newline": "a\nb/" + part_name(),
    "control letters": "a\x01\x7fb/" + part_name(),
    "unicode": "사용자-ü-😀/" + part_name(),
    "two spellings of one letter": "e\u0301/" + part_name(),
    "shell": "$(id) `id` ; rm/" + part_name(),
    "markup": "<b>[red]/" + part_name(),
    "dots": "a...b/c../" + part_name(),
    "name of 255 bytes": "part-" + "x" * 242 + ".parquet",
    "key of 1,000 bytes": "/".join(["y" * 100] * 9) + "/" + part_name(),
    "twenty folders": "/".join("abcdefghijklmnopqrst") + "/" + part_name(),
    "short name": "part-.parquet",
}

CASES = [
    *(Case(f"column {number}", _column(name), ends) for number, (name, ends) in enumerate(COLUMNS.items())),
    Case("column twice", _twice(), "SchemaConflict", "c0"),
    Case("column that differs in case only", _column("USER_ID"), COMMITTED),
    *(Case(f"key with {name}", files({key: body()}), COMMITTED) for name, key in KEYS.items()),
]
