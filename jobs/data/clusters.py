"""Rows that are not independent of each other: those of one declared group, else copies of each other.

A row that stands in a drop several times, under other ids, teaches a net nothing new and would confirm on one side of a
split what was learned on the other. Copies therefore stay together (split.py), and tests count what a cluster says
together (selection/dependence.py).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Dataset
from jobs.data.kernels import column_extremes

Clusters = NDArray[np.int64]

_MANY = 20  # rows that are alike: of users who did nothing, or one and the same thing, not copies
_CHANCE = 0.5  # of the differences in label between any two rows: with more, rows are alike by chance


def clusters_of(data: Dataset) -> Clusters:
    """(n_rows,) the number of the cluster that each row belongs to."""
    if data.group is not None:
        return np.unique(data.group, return_inverse=True)[1].astype(np.int64)
    return copies_of(data)


def copies_of(data: Dataset) -> Clusters:
    """(n_rows,) one number for rows that agree in every column, if they are not many.

    Where their labels differ nearly as often as those of any rows, they agree by chance: then every row is its own.
    """
    fingerprint = sum(_fingerprints(data), np.zeros(data.n_rows))
    _, number, count = np.unique(fingerprint, return_inverse=True, return_counts=True)
    alike = ((count > 1) & (count <= _MANY))[number]
    if not alike.any() or _differences(data.label, number, alike) > _CHANCE:
        return np.arange(data.n_rows)
    own = np.where(alike, number, len(count) + np.arange(data.n_rows))
    return np.unique(own, return_inverse=True)[1].astype(np.int64)


def _differences(label: NDArray[np.floating], number: Clusters, alike: NDArray[np.bool_]) -> float:
    """How often neighbours of one number have different labels, in units of how often any two rows have."""
    rows = np.flatnonzero(alike)
    rows = rows[np.argsort(number[rows], kind="stable")]
    same_number = number[rows][1:] == number[rows][:-1]
    differ = (label[rows][1:] != label[rows][:-1])[same_number].mean()
    shares = np.unique(label[rows], return_counts=True)[1] / len(rows)
    return float(differ / max(1 - shares @ shares, 1 / len(rows)))


def _fingerprints(data: Dataset) -> Iterator[NDArray[np.float64]]:
    """(n_rows,) of each kind of column: equal rows have equal sums of random weights, others hardly ever."""
    random = np.random.default_rng(0)
    X = data.X
    low, high, _ = column_extremes(X.indptr, X.indices, X.data, np.arange(data.n_rows), X.shape[1])
    largest = np.maximum(np.maximum(np.abs(low), np.abs(high)).astype(np.float64), 1e-300)
    yield np.asarray(X @ (random.random(X.shape[1]) / largest), np.float64)  # no column drowns the others
    for column in data.categorical:
        yield random.random(len(column.levels) + 1)[column.codes]  # null, -1, reads the last
    for sequence in data.sequences:
        lengths = np.diff(sequence.indptr)
        place = np.arange(len(sequence.codes)) - np.repeat(sequence.indptr[:-1], lengths)
        weight = random.random(len(sequence.levels))[sequence.codes] * np.sqrt(1.0 + place)
        rows = np.repeat(np.arange(data.n_rows), lengths)
        yield np.bincount(rows, weight, data.n_rows).astype(np.float64)
    for dates in data.dates:
        yield np.asarray(dates.moments.astype(np.int64) % 1_000_003, np.float64) * random.random()
