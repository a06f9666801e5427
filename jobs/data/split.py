# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# scikit-learn's splitters have no types.
"""Which rows train, validate and test, and the folds of the training rows. Made before anything is fitted.

Stratified by label with copies of a row together, or grouped (no group on both sides), or by time (the latest rows
test), or as a column of the drop says. Rows are addressed by their position in the dataset, whose order is that of the
ids: the same data give the same split, however the drop was cut into parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupShuffleSplit,
    KFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)

from jobs.data.clusters import Clusters, clusters_of
from jobs.data.dataset import Dataset

FEW_ROWS = 20  # of a class: with fewer nothing is learned or tested that other rows would confirm
Rows = NDArray[np.int64]

_SIDES = ("train", "valid", "test")
_SMALL, _BIG = 2_000, 1_000_000  # rows
_TENTHS = 10  # of a label that is a number: strata


class UnfitColumn(ValueError):
    """The column that should split the rows cannot, however many of them there are."""


@dataclass(frozen=True, slots=True)
class SplitPolicy:
    """How to split.

    Attributes:
        test, valid: shares of all rows.
        by: "row", "group" or "time".
        stratify: keep the share of every class on every side (rows that are drawn one by one only).
        folds: the number of cross-fitting folds of the training rows.
        seed: of the shuffles.
    """

    test: float = 0.1
    valid: float = 0.1
    by: str = "row"
    stratify: bool = True
    folds: int = 5
    seed: int = 17


def automatic_share(n_rows: int) -> float:
    """Return the share of rows that a side gets by itself: 6:2:2 of small tables, 98:1:1 of big ones, else 8:1:1."""
    return 0.2 if n_rows < _SMALL else 0.01 if n_rows >= _BIG else 0.1


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of rows, each sorted ascending.

    Attributes:
        train, valid, test: disjoint, together all rows.
        folds: a partition of `train`; fold k is never seen by net k.
        clusters: (n_rows,) the number of the cluster that each row belongs to; rows of one are not independent.
        periods: (n_rows,) the number of the period of each row, where sides are not drawn: in another one label and
            columns may both be different, and say nothing of each other.
    """

    train: Rows
    valid: Rows
    test: Rows
    folds: tuple[Rows, ...]
    clusters: Clusters
    periods: NDArray[np.int64]

    @property
    def known(self) -> Rows:
        """All rows but the test rows; ascending."""
        return np.union1d(self.train, self.valid)

    @property
    def has_periods(self) -> bool:
        """Whether the validation rows are of a period of their own, the latest that is known."""
        return bool(self.periods[self.valid].any())

    def training_rows_of(self, fold: int) -> Rows:
        """The training rows that are not in that fold."""
        return np.setdiff1d(self.train, self.folds[fold], assume_unique=True)

    def held_out_rows_of(self, fold: int) -> Rows:
        """The rows that judge net `fold`: its own fold, and its share of the validation rows, which train no net.

        Those rows did stop its training and choose its settings: a choice among few, of which no test hears anything.
        """
        return np.union1d(self.folds[fold], self.valid[fold :: len(self.folds)])


def sample_rows(random: np.random.Generator, rows: Rows, size: int) -> Rows:
    """Draw so many of the rows, or all there are, without replacement; ascending."""
    return np.sort(random.choice(rows, min(size, len(rows)), replace=False))


def split_rows(data: Dataset, policy: SplitPolicy) -> Split:
    """Split the rows of a dataset by the policy; a `split` column of the drop wins over the shares.

    Raises:
        UnfitColumn: the column `split`, `group` or `time` makes no such sides.
        ValueError: a side or a fold would lack one of the two classes.
    """
    fewest = _fewest(data, data.y)
    if fewest < policy.folds + 2:
        raise ValueError(f"one class has {fewest} rows only, and {policy.folds} folds and two more sides need it")
    _require_groups(data, policy)
    clusters = clusters_of(data)
    if data.split is not None:
        train, valid, test = _declared_sides(data.split)
    elif policy.by == "time":
        train, valid, test = _sides_by_time(data, policy)
    else:
        rest, test = _hold_out(data, clusters, np.arange(data.n_rows), policy.test, policy)
        train, valid = _hold_out(data, clusters, rest, policy.valid / (1 - policy.test), policy)
    _require_both_classes(data, {"train": train, "valid": valid, "test": test})
    folds = _folds(data, clusters, train, policy)
    _require_both_classes(data, {f"fold {k + 1}": rows for k, rows in enumerate(folds)})
    return Split(train, valid, test, folds, clusters, _periods(data, policy, folds, valid))


def _fewest(data: Dataset, y: NDArray[np.float32]) -> int:
    """Rows of the second most frequent class: what is to be learned; of a number half of all rows."""
    if not data.classes:
        return len(y) // 2
    return int(np.sort(np.bincount(y.astype(np.int64), minlength=2))[-2])


def _strata(data: Dataset, rows: Rows, least: int) -> NDArray[np.int64]:
    """(len(rows),) what is to be as frequent on every side: the class, rare ones together; of a number its tenth."""
    y = data.label[rows]
    if not data.classes:
        return np.argsort(np.argsort(y, kind="stable"), kind="stable") * _TENTHS // len(y)
    strata = y.astype(np.int64)
    counts = np.bincount(strata, minlength=len(data.classes))
    rare = (counts < least)[strata]
    strata[rare] = -1 if rare.sum() >= least else int(counts.argmax())
    return strata


def _require_groups(data: Dataset, policy: SplitPolicy) -> None:
    if policy.by == "group" and data.group is not None:
        n_groups, wanted = len(np.unique(data.group)), policy.folds + (0 if data.split is not None else 2)
        if n_groups < wanted:
            found = f"the group column holds {n_groups} group(s), and {wanted} folds and sides need one each"
            raise UnfitColumn(f"{found}. Lower split.folds, or choose split.by: row without table.group")


def _declared_sides(column: NDArray[np.generic]) -> tuple[Rows, Rows, Rows]:
    text = column.astype(str)
    unknown = sorted(set(np.unique(text).tolist()) - set(_SIDES))
    if unknown:
        found = f"the split column holds {', '.join(map(repr, unknown[:5]))}; it may hold train, valid and test only"
        raise UnfitColumn(f"{found}. Correct the column, or leave table.split out")
    return (np.flatnonzero(text == "train"), np.flatnonzero(text == "valid"), np.flatnonzero(text == "test"))


def _sides_by_time(data: Dataset, policy: SplitPolicy) -> tuple[Rows, Rows, Rows]:
    """The latest rows test, those before them validate; rows of one instant stay on one side."""
    if data.time is None:
        raise ValueError("split.by is time, but the problem names no time column")
    times = np.sort(data.time)
    n = len(times)
    test_from = times[min(n - 1, int(n * (1 - policy.test)))]
    valid_from = times[min(n - 1, int(n * (1 - policy.test - policy.valid)))]
    test = data.time >= test_from
    valid = (data.time >= valid_from) & ~test
    sides = np.flatnonzero(~test & ~valid), np.flatnonzero(valid), np.flatnonzero(test)
    if not all(len(side) for side in sides):
        n_times = len(np.unique(times))
        found = f"the time column holds {n_times} different time(s), and one time cannot stand on two sides"
        raise UnfitColumn(f"{found}. Name a finer column under table.time, or choose split.by: row")
    return sides


def _hold_out(data: Dataset, clusters: Clusters, rows: Rows, share: float, policy: SplitPolicy) -> tuple[Rows, Rows]:
    try:
        return _drawn(data, clusters, rows, share, policy)
    except ValueError as error:  # what scikit-learn says names its own arguments
        what = "both classes" if len(data.classes) == 2 else "every class (enlarge split.valid and split.test)"
        raise ValueError(f"{len(rows)} rows are too few to take {share:.2g} of them out with {what}") from error


def _drawn(data: Dataset, clusters: Clusters, rows: Rows, share: float, policy: SplitPolicy) -> tuple[Rows, Rows]:
    if policy.by == "group" and data.group is not None:
        splitter = GroupShuffleSplit(n_splits=1, test_size=share, random_state=policy.seed)
        kept, held = next(splitter.split(rows, groups=data.group[rows]))
        return np.sort(rows[kept]), np.sort(rows[held])
    firsts = _firsts(clusters, rows)
    shuffle = StratifiedShuffleSplit if policy.stratify else ShuffleSplit
    splitter = shuffle(n_splits=1, test_size=share, random_state=policy.seed)
    _, held = next(splitter.split(firsts, _strata(data, firsts, least=2)))
    is_held = np.isin(clusters[rows], clusters[firsts[held]])
    return rows[~is_held], rows[is_held]


def _firsts(clusters: Clusters, rows: Rows) -> Rows:
    """The first row of each cluster: drawn for all of its copies."""
    return np.sort(rows[np.unique(clusters[rows], return_index=True)[1]])


def _folds(data: Dataset, clusters: Clusters, train: Rows, policy: SplitPolicy) -> tuple[Rows, ...]:
    fewest = _fewest(data, data.y[train])
    if fewest < policy.folds:
        raise ValueError(f"one class has {fewest} training rows only, and {policy.folds} folds need it")
    if policy.by == "group" and data.group is not None:
        splitter = StratifiedGroupKFold(policy.folds, shuffle=True, random_state=policy.seed)
        parts = splitter.split(train, _strata(data, train, policy.folds), data.group[train])
        return tuple(np.sort(train[held]) for _, held in parts)
    times = _times(data, policy)
    if times is not None:
        order = np.argsort(times[train], kind="stable")
        return tuple(np.sort(train[order[held]]) for _, held in KFold(policy.folds).split(order))
    firsts, kind = _firsts(clusters, train), StratifiedKFold if policy.stratify else KFold
    splitter = kind(policy.folds, shuffle=True, random_state=policy.seed)
    parts = splitter.split(firsts, _strata(data, firsts, policy.folds))
    return tuple(train[np.isin(clusters[train], clusters[firsts[held]])] for _, held in parts)


def _periods(data: Dataset, policy: SplitPolicy, folds: tuple[Rows, ...], valid: Rows) -> NDArray[np.int64]:
    """(n_rows,) folds are periods by time only; validation rows are one wherever they are not drawn."""
    periods = np.zeros(data.n_rows, np.int64)
    by_time = _times(data, policy) is not None
    if by_time:
        for k, rows in enumerate(folds):
            periods[rows] = k
    if by_time or data.split is not None:
        periods[valid] = len(folds)
    return periods


def _times(data: Dataset, policy: SplitPolicy) -> NDArray[np.generic] | None:
    """(n_rows,) times by which rows are split; None: they are drawn."""
    return data.time if policy.by == "time" else None


def _require_both_classes(data: Dataset, sides: Mapping[str, Rows]) -> None:
    for name, rows in sides.items():
        if len(np.unique(data.label[rows])) < 2:
            holds = f"{int(data.y[rows].sum())} of them positive" if len(data.classes) == 2 else "all of one value"
            needed = "both classes are needed" if len(data.classes) == 2 else "several are needed"
            found = f"{name} would have {len(rows)} rows, {holds}; {needed}"
            if data.split is not None and name in _SIDES:
                raise UnfitColumn(f"by the split column, {found}. Correct the column, or leave table.split out")
            raise ValueError(found)
