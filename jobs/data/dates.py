"""Columns of dates as codes: how long ago, when in the week, in the year and in the day, and whether at all.

A date alone means nothing to a net. Its codes are the days up to the row's own time where the problem has one (tenure,
recency), else its place between the first and the last date of training rows; hats on that scale (see knots.py), so
that its effect need not be a line; and the day of the week, the month and the hour, where they vary. They are codes of
one column, so one attribution, one gain and one verdict serve it. Dates outside those of training rows count as the
nearest of them: a model is asked about later days than it was trained on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.dataset import Dates
from jobs.data.split import Rows

Floats = NDArray[np.float64]
Moments = NDArray[np.datetime64]

_DAY = np.timedelta64(1, "D")
_ROWS_A_KNOT = 25


def _weekday(at: Moments) -> NDArray[np.int64]:
    return (at.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0


def _month(at: Moments) -> NDArray[np.int64]:
    return at.astype("datetime64[M]").astype(np.int64) % 12


def _hour(at: Moments) -> NDArray[np.int64]:
    return at.astype("datetime64[h]").astype(np.int64) % 24


_CYCLES: dict[str, tuple[int, Callable[[Moments], NDArray[np.int64]]]] = {
    "weekday": (7, _weekday),
    "month": (12, _month),
    "hour": (24, _hour),
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the codes of one column of dates are; fitted on training rows.

    Attributes:
        name: of the column.
        first, last: days that become 0 and 1.
        has_null: whether null has a code of its own, the first.
        cycles: those of weekday, month and hour that vary.
        knots: of the days between 0 and 1, ascending; their hats are the last codes.
    """

    name: str
    first: float
    last: float
    has_null: bool
    cycles: tuple[str, ...]
    knots: tuple[float, ...]

    @property
    def n_codes(self) -> int:
        """How many codes there are."""
        return self.has_null + 1 + sum(_CYCLES[cycle][0] for cycle in self.cycles) + len(self.knots)

    @property
    def is_constant(self) -> bool:
        """Whether all training rows have one date, or none."""
        return self.first == self.last and not self.has_null and not self.cycles

    def scaled(self, days: Floats) -> Floats:
        """Return days on the scale of the codes; nan stays nan."""
        span = self.last - self.first
        return np.clip((days - self.first) / span, 0, 1) if span > 0 else days * 0


def days_of(column: Dates, until: Moments | None) -> Floats:
    """(n_rows,) days from the date up to the row's own time, else since 1970; nan for no date."""
    span = column.moments - np.datetime64(0, "us") if until is None else until - column.moments
    return np.asarray(span / _DAY, np.float64)


def fit_calendar(column: Dates, until: Moments | None, rows: Rows, most_knots: int) -> Calendar:
    """Fit the codes of a column on `rows`; at most one knot for 25 of them."""
    days, at = days_of(column, until)[rows], column.moments[rows]
    is_there = ~np.isnan(days)
    if not is_there.any():
        return Calendar(column.name, 0.0, 0.0, has_null=False, cycles=(), knots=())
    days, at = days[is_there], at[is_there]
    first, last = float(days.min()), float(days.max())
    cycles = tuple(name for name, (_, place) in _CYCLES.items() if np.ptp(place(at)) > 0)
    unbent = Calendar(column.name, first, last, not is_there.all(), cycles, ())
    at_most = min(most_knots, len(days) // _ROWS_A_KNOT)
    knots = np.unique(np.quantile(unbent.scaled(days), np.linspace(0, 1, at_most))) if at_most > 1 else np.zeros(0)
    return replace(unbent, knots=tuple(knots.tolist()) if len(knots) > 1 else ())


def encode_dates(column: Dates, until: Moments | None, calendar: Calendar) -> csr_array:
    """(n_rows, n_codes) CSR float32."""
    days = days_of(column, until)
    there = np.flatnonzero(~np.isnan(days))
    scaled, at = calendar.scaled(days[there]), column.moments[there]
    of_value = int(calendar.has_null)
    entries = [(there, np.full(len(there), of_value), scaled)]
    if calendar.has_null:
        absent = np.flatnonzero(np.isnan(days))
        entries.append((absent, np.zeros(len(absent), np.int64), np.ones(len(absent))))
    first = of_value + 1
    for cycle in calendar.cycles:
        size, place = _CYCLES[cycle]
        entries.append((there, first + place(at), np.ones(len(there))))
        first += size
    if calendar.knots:
        knots = np.array(calendar.knots)
        left = np.clip(np.searchsorted(knots, scaled, side="right") - 1, 0, len(knots) - 2)
        right_share = np.clip((scaled - knots[left]) / (knots[left + 1] - knots[left]), 0, 1)
        entries += [(there, first + left, 1 - right_share), (there, first + left + 1, right_share)]
    row, code, value = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    kept = value != 0
    shape = (len(days), calendar.n_codes)
    block = csr_array((value[kept].astype(np.float32), (row[kept], code[kept])), shape=shape)
    block.sort_indices()
    return block


def dated_after(column: Dates, until: Moments | None, rows: Rows) -> bool:
    """Whether any of `rows` has a date after its own time: what it says was not known then."""
    return until is not None and bool((days_of(column, until)[rows] < 0).any())
