"""One type for a column whose parts disagree on its width.

Spark writes a count as int32 one day and int64 the next; that is one column. A count that becomes text is not.
"""

from storage.arrow import Kind, arrow, kinds


def is_numeric(kind: Kind) -> bool:
    """Whether the type is one that a numeric column may have (booleans included)."""
    return bool(kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind) or kinds.is_boolean(kind))


def is_list_of_items(kind: Kind) -> bool:
    """Whether a value of the type is several flat ones, in order."""
    is_list = kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind)
    return bool(is_list and not kinds.is_nested(kind.value_type))


def is_text(kind: Kind) -> bool:
    """Whether the type is text, or was never given a value."""
    return bool(kinds.is_string(plain(kind)) or kinds.is_null(kind))


def is_readable_number(kind: Kind) -> bool:
    """Whether a numeric column may have this type; a column that never saw a value (null) is one of zeros."""
    return is_numeric(plain(kind)) or bool(kinds.is_null(kind))


def plain(kind: Kind) -> Kind:
    """Return the type without its encoding: a dictionary is its values, large text is text."""
    if isinstance(kind, arrow.DictionaryType):
        return plain(kind.value_type)
    if kinds.is_large_string(kind):
        return arrow.string()
    return arrow.binary() if kinds.is_large_binary(kind) else kind


def common_type(left: Kind, right: Kind) -> Kind | None:
    """Return the plain type that holds both, or None when they are two kinds of column.

    Null (a part that never saw a value) gives way to anything. Numbers widen to int64 or, when one is a float, a
    decimal or unsigned beyond int64, to float64. Timestamps of one zone take the finer unit.
    """
    a, b = plain(left), plain(right)
    if a == b or kinds.is_null(b):
        return a
    if kinds.is_null(a):
        return b
    if is_list_of_items(a) and is_list_of_items(b):
        of_items = common_type(a.value_type, b.value_type)
        return None if of_items is None else arrow.list_(of_items)
    if is_numeric(a) and is_numeric(b):
        return _common_number(a, b)
    if isinstance(a, arrow.TimestampType) and isinstance(b, arrow.TimestampType) and a.tz == b.tz:
        return max(a, b, key=lambda kind: ("s", "ms", "us", "ns").index(kind.unit))
    return None


def _common_number(a: Kind, b: Kind) -> Kind | None:
    if kinds.is_boolean(a) or kinds.is_boolean(b):
        return None
    signed = not (kinds.is_uint64(a) or kinds.is_uint64(b))
    return arrow.int64() if kinds.is_integer(a) and kinds.is_integer(b) and signed else arrow.float64()
