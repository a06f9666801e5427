"""What has changed since the run before: columns whose mean or coverage moved, new ones, gone ones."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from jobs.data.screens import Moments, drifted

MOVED = "moved"  # the flag


@dataclass(frozen=True, slots=True)
class Previous:
    """The run before this one.

    Attributes:
        run_id: its name.
        n_rows: of its drop.
        features: its feature table.
    """

    run_id: str
    n_rows: int
    features: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Changes:
    """How a drop differs from that of the run before.

    Attributes:
        since: the run before; None if there is none to compare with.
        moved: columns whose mean or coverage differs by more than a tenth of a standard deviation, and than chance.
        new, gone: columns that only this run, or only the one before, has.
    """

    since: str | None = None
    moved: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def flag(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the moved columns flagged."""
        moved = features["feature"].isin(self.moved)
        flags = [[*own, MOVED] if is_moved else own for own, is_moved in zip(features["flags"], moved, strict=True)]
        return features.assign(flags=pd.Series(flags, features.index, dtype=object))

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def changes_since(previous: Previous | None, features: pd.DataFrame, n_rows: int) -> Changes:
    """Compare a feature table with that of the run before; coverage as the mean of "does the row have it".

    Args:
        previous: the run before.
        features: the table of this run.
        n_rows: of this drop.
    """
    if previous is None:
        return Changes()
    was, now = (table.set_index("feature").sort_index() for table in (previous.features, features))
    both = now.index.intersection(was.index)
    was, now = was.loc[both], now.loc[both]
    moments = [_moments(table, rows) for table, rows in ((was, previous.n_rows), (now, n_rows))]
    moved = np.unique(drifted(*moments) % max(1, len(both)))
    return Changes(
        previous.run_id,
        tuple(both[moved]),
        tuple(features["feature"][~features["feature"].isin(both)].sort_values()),
        tuple(previous.features["feature"][~previous.features["feature"].isin(both)].sort_values()),
    )


def _moments(table: pd.DataFrame, n_rows: int) -> Moments:
    """Of the values of every column, and behind them of its presence."""
    mean, deviation, coverage = (table[name].to_numpy(np.float64) for name in ("mean", "deviation", "coverage"))
    of_presence = np.sqrt(coverage * (1 - coverage))
    return Moments(n_rows, np.concatenate([mean, coverage]), np.concatenate([deviation, of_presence]))
