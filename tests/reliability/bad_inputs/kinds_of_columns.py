"""Every type that Arrow can write to parquet: as a feature, as id, as label, and in two parts that disagree."""

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa

from tests.reliability.bad_inputs.cases import COMMITTED, N_ROWS, Case, table, two_parts

_I = list(range(N_ROWS))
_DAY = dt.date(2026, 1, 1)
_NOON = dt.datetime(2026, 1, 1, 12)  # noqa: DTZ001 - a timestamp without a zone is one of the cases


def _array(kind: pa.DataType, values: list[object]) -> pa.Array:
    return pa.array(values, kind)


_DECIMALS = [decimal.Decimal(i % 3) for i in _I]
_TEXTS = [f"u{i}" for i in _I]

# Type: values that differ in every row.
TYPES: dict[str, pa.Array] = {
    "int8": _array(pa.int8(), [i % 100 for i in _I]),
    "int16": _array(pa.int16(), _I),
    "int32": _array(pa.int32(), _I),
    "int64": _array(pa.int64(), _I),
    "uint8": _array(pa.uint8(), [i % 200 for i in _I]),
    "uint16": _array(pa.uint16(), _I),
    "uint32": _array(pa.uint32(), _I),
    "uint64": _array(pa.uint64(), _I),
    "half float": pa.array(np.array(_I, np.float16)),
    "float": _array(pa.float32(), _I),
    "double": _array(pa.float64(), _I),
    "decimal": _array(pa.decimal128(9, 2), _DECIMALS),
    "decimal of 38 digits": _array(pa.decimal128(38, 10), _DECIMALS),
    "decimal of 76 digits": _array(pa.decimal256(76, 10), _DECIMALS),
    "bool": _array(pa.bool_(), [i % 2 == 0 for i in _I]),
    "null": pa.nulls(N_ROWS),
    "date32": _array(pa.date32(), [_DAY + dt.timedelta(i) for i in _I]),
    "date64": _array(pa.date64(), [_DAY + dt.timedelta(i) for i in _I]),
    "time32": _array(pa.time32("s"), [dt.time(i % 24) for i in _I]),
    "time64": _array(pa.time64("us"), [dt.time(i % 24) for i in _I]),
    "timestamp in ms": _array(pa.timestamp("ms"), [_NOON + dt.timedelta(i) for i in _I]),
    "timestamp in us": _array(pa.timestamp("us"), [_NOON + dt.timedelta(i) for i in _I]),
    "timestamp in ns": _array(pa.timestamp("ns"), [_NOON + dt.timedelta(i) for i in _I]),
    "timestamp with a zone": _array(pa.timestamp("us", "Asia/Seoul"), [_NOON + dt.timedelta(i) for i in _I]),
    "duration": _array(pa.duration("s"), [dt.timedelta(i) for i in _I]),
    "text": _array(pa.string(), _TEXTS),
    "large text": _array(pa.large_string(), _TEXTS),
    "bytes": _array(pa.binary(), [text.encode() for text in _TEXTS]),
    "bytes that are no text": _array(pa.binary(), [bytes([255, i % 256]) for i in _I]),
    "fixed bytes": _array(pa.binary(4), [i.to_bytes(4) for i in _I]),
    "dictionary of texts": _array(pa.string(), _TEXTS).dictionary_encode(),
    "dictionary of numbers": _array(pa.int64(), _I).dictionary_encode(),
    "list": _array(pa.list_(pa.int64()), [[i] for i in _I]),
    "large list": _array(pa.large_list(pa.int64()), [[i] for i in _I]),
    "list of fixed size": _array(pa.list_(pa.int64(), 2), [[i, i] for i in _I]),
    "list of lists": _array(pa.list_(pa.list_(pa.int64())), [[[i]] for i in _I]),
    "struct": _array(pa.struct({"a": pa.int64()}), [{"a": i} for i in _I]),
    "struct of structs": _array(pa.struct({"a": pa.struct({"b": pa.int64()})}), [{"a": {"b": i}} for i in _I]),
    "map": _array(pa.map_(pa.string(), pa.int64()), [[("a", i)] for i in _I]),
}
_BYTES = {name for name in TYPES if "bytes" in name}
_NESTED = {name for name in TYPES if name.startswith(("list", "large list", "struct", "map"))}
_REPEATED = {"int8", "uint8", "bool", "null", "time32", "time64"} | {name for name in TYPES if "decimal" in name}
_NUMBERS = {
    name for name in TYPES if name.startswith(("int", "uint", "half", "float", "double", "decimal", "bool", "null"))
}
_NUMBERS.add("dictionary of numbers")

# Two parts that disagree on a column: what follows.
PAIRS = {
    ("int32", "int64"): COMMITTED,
    ("int64", "double"): COMMITTED,
    ("int64", "decimal"): COMMITTED,
    ("int64", "uint64"): COMMITTED,
    ("int64", "null"): COMMITTED,
    ("dictionary of numbers", "int64"): COMMITTED,
    ("int64", "bool"): "SchemaConflict",
    ("int64", "text"): "SchemaConflict",
    ("int64", "list"): "SchemaConflict",
    ("struct", "list"): "SchemaConflict",
    ("date32", "int64"): "SchemaConflict",
    ("text", "null"): "UnsupportedColumn",
    ("timestamp in ms", "timestamp in ns"): "UnsupportedColumn",
}


def _as_feature(name: str) -> str:
    return COMMITTED if name in _NUMBERS else "UnsupportedColumn"


def _as_id(name: str) -> str:
    if name in _BYTES | _NESTED:
        return "UnsupportedColumn"
    return "DuplicateIds" if name in _REPEATED else COMMITTED


def _as_label(name: str) -> str:
    if name in _BYTES | _NESTED:
        return "UnsupportedColumn"
    return COMMITTED if name == "bool" else "InvalidLabel"


def _half(name: str) -> dict[str, pa.Array]:
    return {"x": TYPES[name][: N_ROWS // 2]}


CASES = [
    *(Case(f"{name} as a feature", table(extra=column), _as_feature(name)) for name, column in TYPES.items()),
    *(Case(f"{name} as id", table(user_id=column), _as_id(name)) for name, column in TYPES.items()),
    *(Case(f"{name} as label", table(active=column), _as_label(name)) for name, column in TYPES.items()),
    *(Case(f"{one} beside {two}", two_parts(_half(one), _half(two)), ends) for (one, two), ends in PAIRS.items()),
]
