"""Columns of dates as codes: each checked against what pandas says of the same dates."""

import numpy as np
import pandas as pd
import pytest

from jobs.data.dataset import Dates
from jobs.data.dates import Calendar, dated_after, days_of, encode_dates, fit_calendar

N = 2000
ROWS = np.arange(0, N, 2)
WIDTHS = {"weekday": 7, "month": 12, "hour": 24}


def stamps(seed: int = 1, n: int = N, nulls: float = 0.1) -> pd.Series:
    random = np.random.default_rng(seed)
    drawn = pd.Timestamp("1968-03-01") + pd.to_timedelta(random.uniform(0, 800 * 86_400, n), unit="s")
    return pd.Series(drawn.as_unit("us")).mask(random.random(n) < nulls)


def column_of(series: pd.Series) -> Dates:
    return Dates("at", series.to_numpy("datetime64[us]"))


def parts_of(codes: np.ndarray, calendar: Calendar) -> dict[str, np.ndarray]:
    """The codes of a row by what they say."""
    widths = {"null": int(calendar.has_null), "days": 1} | {cycle: WIDTHS[cycle] for cycle in calendar.cycles}
    widths["hats"] = len(calendar.knots)
    ends = np.cumsum(list(widths.values()))
    return {name: codes[:, end - width : end] for (name, width), end in zip(widths.items(), ends, strict=True)}


def test_codes_are_what_a_calendar_says() -> None:
    series = stamps()
    column = column_of(series)
    calendar = fit_calendar(column, None, ROWS, 8)
    codes = encode_dates(column, None, calendar).toarray()
    assert codes.shape == (N, calendar.n_codes)
    said = parts_of(codes, calendar)
    there = series.notna().to_numpy()
    np.testing.assert_array_equal(said["null"][:, 0], ~there)
    assert not codes[~there][:, 1:].any()
    for name, truth in (("weekday", series.dt.day_of_week), ("month", series.dt.month - 1), ("hour", series.dt.hour)):
        np.testing.assert_array_equal(said[name][there].argmax(axis=1), truth[there])
        np.testing.assert_array_equal(said[name][there].sum(axis=1), 1)
    days = (series - series[ROWS].min()) / (series[ROWS].max() - series[ROWS].min())
    np.testing.assert_allclose(said["days"][there, 0], days[there].clip(0, 1), atol=1e-6)
    np.testing.assert_allclose(said["hats"][there].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(said["hats"][there] @ np.array(calendar.knots), days[there].clip(0, 1), atol=1e-6)


def test_days_are_counted_up_to_the_time_of_the_row() -> None:
    series, until = stamps(), stamps(2, nulls=0.0) + pd.Timedelta(days=900)
    column, own_time = column_of(series), until.to_numpy("datetime64[us]")
    np.testing.assert_allclose(days_of(column, own_time), (until - series) / pd.Timedelta(days=1))
    assert not dated_after(column, own_time, ROWS)
    later = series.copy()
    later[ROWS[5]] = until[ROWS[5]] + pd.Timedelta(seconds=1)
    assert dated_after(column_of(later), own_time, ROWS)
    assert not dated_after(column_of(later), own_time, ROWS[6:])
    assert not dated_after(column_of(later), None, ROWS)


def test_nothing_is_fitted_on_other_rows() -> None:
    series, other = stamps(), stamps()
    other[np.setdiff1d(np.arange(N), ROWS)] = pd.Timestamp("2099-01-01")
    found = [fit_calendar(column_of(each), None, ROWS, 8) for each in (series, other)]
    assert found[0] == found[1]
    late = encode_dates(column_of(other), None, found[0])
    assert late.max() <= 1  # as the latest of training rows


@pytest.mark.parametrize(("values", "cycles", "is_constant"), [
    (["2026-01-05"] * 4, (), True),
    ([None] * 4, (), True),
    (["2026-01-05", None] * 2, (), False),
    (["2026-01-05", "2026-01-12"] * 2, (), False),
    (["2026-01-05", "2026-01-06"] * 2, ("weekday",), False),
    (["2026-01-05T03:00", "2026-01-05T04:00"] * 2, ("hour",), False),
])  # fmt: skip
def test_only_what_varies_has_codes(values: list[str | None], cycles: tuple[str, ...], is_constant: bool) -> None:
    column = Dates("at", np.array(values, "datetime64[us]"))
    calendar = fit_calendar(column, None, np.arange(4), 8)
    assert (calendar.cycles, calendar.is_constant) == (cycles, is_constant)
    assert encode_dates(column, None, calendar).shape == (4, calendar.n_codes)


def test_a_far_off_date_does_not_flatten_the_others() -> None:
    series = stamps(nulls=0.0)
    series[ROWS[0]] = pd.Timestamp("9999-12-31")  # a common stand-in for "never ends"
    calendar = fit_calendar(column_of(series), None, ROWS, 8)
    hats = parts_of(encode_dates(column_of(series), None, calendar).toarray(), calendar)["hats"]
    assert (hats.max(axis=0) > 0.5).all()
    assert np.unique(hats.argmax(axis=1)).size == 8
