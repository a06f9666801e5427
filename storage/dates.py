"""Columns of dates and times of day, whatever a drop has them as: dates, timestamps, or texts in ISO 8601.

A moment with an offset is told in UTC; one without is taken as it stands, and a date is its midnight.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from storage.arrow import Array, Column, Kind, arrow, kinds
from storage.widening import is_text, plain

_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class DateColumn:
    """One column of dates.

    Attributes:
        name: its name in the drop.
        moments: (n_rows,) datetime64[us]; NaT where the drop has null, an empty text, or one that is no date.
        unreadable: some of the texts that are no dates, sorted (intake judges them).
    """

    name: str
    moments: NDArray[np.datetime64]
    unreadable: tuple[str, ...] = ()


def is_temporal(kind: Kind) -> bool:
    """Whether every value of the type is a date, with or without a time of day."""
    return bool(kinds.is_date(plain(kind)) or kinds.is_timestamp(plain(kind)))


def holds_dates(kind: Kind) -> bool:
    """Whether values of the type can be dates: a text may be one."""
    return is_temporal(kind) or is_text(kind)


def dates_of(name: str, column: Column | Array) -> DateColumn:
    """Read a column of a type that holds dates."""
    if is_temporal(column.type):
        return DateColumn(name, _moments(column))
    encoded = column if kinds.is_dictionary(column.type) else column.dictionary_encode()
    whole = arrow.chunked_array(encoded.chunks if isinstance(encoded, arrow.ChunkedArray) else [encoded], encoded.type)
    parts: list[NDArray[np.datetime64]] = [np.zeros(0, "datetime64[us]")]
    unreadable: set[str] = set()
    for chunk in whole.chunks:
        read = [_moment(text) for text in chunk.dictionary.to_pylist()]
        unreadable |= {text for text, at in zip(chunk.dictionary.to_pylist(), read, strict=True) if at is None}
        table = np.array([at or np.datetime64("NaT") for at in (*read, None)], "datetime64[us]")
        parts.append(table[chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False)])
    return DateColumn(name, np.concatenate(parts), tuple(sorted(unreadable)[:_MOST_SHOWN]))


def _moments(column: Column | Array) -> NDArray[np.datetime64]:
    micros = column.cast(arrow.timestamp("us"), safe=False).cast(arrow.int64())
    nothing = int(np.datetime64("NaT").astype(np.int64))
    return np.asarray(micros.fill_null(nothing).to_numpy(), np.int64).view("datetime64[us]")


def _moment(text: str | None) -> np.datetime64 | None:
    """The moment that a text says: NaT for none, None for no date."""
    if text is None or not text.strip():
        return np.datetime64("NaT")
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return np.datetime64(found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found, "us")
