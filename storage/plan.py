"""Which column of a drop plays which part: all that reading needs to know of a problem."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What to read, and as what. Columns not named here are not read.

    Attributes:
        id: the column that says whose row it is.
        label: a column, or in a long drop possibly a feature.
        numeric: columns of the matrix; empty for a long drop, whose features are known when it has been read.
        categorical: columns to encode as levels.
        dates: columns of dates.
        until: the column of dates that says when each row's own time is, where the problem has one.
        sequences: pairs of a column that holds several items a row, and what stands between them where it is text.
        group, time, split: columns handed through, where the problem names them.
        shape: "wide", one row per id; or "long", one row per id, feature, value.
        feature: long only: the columns whose text, joined with "_", names the feature.
        value: long only: the column of its value.
        ignore: long only: features to leave out.
    """

    id: str
    label: str
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    sequences: tuple[tuple[str, str], ...] = ()
    dates: tuple[str, ...] = ()
    until: str | None = None
    group: str | None = None
    time: str | None = None
    split: str | None = None
    shape: Literal["wide", "long"] = "wide"
    feature: tuple[str, ...] = ()
    value: str = ""
    ignore: tuple[str, ...] = ()

    @property
    def carried(self) -> tuple[str, ...]:
        """The columns that are taken as they are, once each: label, group, time, split, categorical, dates."""
        names = (self.label, self.group, self.time, self.split, *self.categorical, *self.dates, self.until)
        return tuple(dict.fromkeys(name for name in names if name is not None))
