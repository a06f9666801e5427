"""Dates of every type that a drop has them in, as the same moments."""

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest

from storage.dates import dates_of, holds_dates

MOMENT = np.datetime64("2026-11-27T18:05:09.250000", "us")
ABROAD = timezone(timedelta(hours=2))


@pytest.mark.parametrize(("column", "expected"), [
    (pa.array([datetime.fromisoformat("2026-11-27T18:05:09.250"), None], pa.timestamp("us")), MOMENT),
    (pa.array([datetime.fromisoformat("2026-11-27T18:05:09.250"), None], pa.timestamp("ns")), MOMENT),
    (pa.array([datetime(2026, 11, 27, 20, 5, 9, 250_000, ABROAD), None], pa.timestamp("ms", "+02:00")), MOMENT),
    (pa.array([date(2026, 11, 27), None], pa.date32()), np.datetime64("2026-11-27")),
    (pa.array([date(1901, 2, 3), None], pa.date64()), np.datetime64("1901-02-03")),
    (pa.array(["2026-11-27T18:05:09.250", None]), MOMENT),
    (pa.array([" 2026-11-27 18:05:09.250 ", ""]), MOMENT),
    (pa.array(["2026-11-27T20:05:09.250+02:00", "  "]), MOMENT),
    (pa.array(["20261127", None]).dictionary_encode(), np.datetime64("2026-11-27")),
    (pa.array(["2026-11-27T18:05:09.250Z", None], pa.large_string()), MOMENT),
])  # fmt: skip
@pytest.mark.parametrize("chunked", [False, True])
def test_moments(column: pa.Array, expected: np.datetime64, chunked: bool) -> None:
    assert holds_dates(column.type)
    found = dates_of("at", pa.chunked_array([column, column[:1]]) if chunked else column)
    assert found.moments[0] == expected
    assert np.isnat(found.moments[1])
    assert found.moments.dtype == "datetime64[us]"
    assert found.unreadable == ()
    assert not chunked or found.moments[2] == expected


def test_texts_that_are_no_dates_are_told() -> None:
    found = dates_of("at", pa.array(["27.11.2026", "2026-11-27", "soon", None, "2026-13-01"]))
    assert found.unreadable == ("2026-13-01", "27.11.2026", "soon")
    assert np.isnat(found.moments).tolist() == [True, False, True, True, True]


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.bool_(), pa.list_(pa.date32()), pa.time32("s")])
def test_other_types_hold_no_dates(kind: pa.DataType) -> None:
    assert not holds_dates(kind)


def test_a_column_without_a_value_has_no_dates() -> None:
    found = dates_of("at", pa.chunked_array([], pa.null()))
    assert found.moments.shape == (0,)
    assert np.isnat(dates_of("at", pa.nulls(3)).moments).all()
