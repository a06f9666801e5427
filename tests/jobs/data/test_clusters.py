"""Rows that are not independent: of one group, or copies of each other."""

from dataclasses import replace

import numpy as np

from jobs.data.clusters import clusters_of, copies_of
from jobs.data.dataset import Dataset, Dates, Sequences
from jobs.data.split import SplitPolicy, split_rows
from tests.jobs.tables import categories, counts, csr_of, dataset_of

N = 300


def table() -> Dataset:
    """Every row once, but that row 7 stands for 250 to 259, and all of a hundred others did nothing."""
    X = counts(1, N, 30).toarray()
    X[100:200] = 0
    y = (np.arange(N) % 2).astype(np.float32)
    town = np.array(["Aden", "Giran", None] * (N // 3), dtype=object)
    town[100:200] = "Aden"
    lengths = np.full(N, 2)
    lengths[100:200] = 0
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    items = np.random.default_rng(2).integers(0, 5, indptr[-1]).astype(np.int32)
    moments = np.datetime64("2026-01-01", "us") + np.random.default_rng(3).integers(0, 99, N).astype("timedelta64[D]")
    moments[100:200] = np.datetime64("NaT")
    X[250:260], town[250:260], moments[250:260], y[250:260] = X[7], town[7], moments[7], y[7]
    for k in range(250, 260):
        items[indptr[k] : indptr[k + 1]] = items[indptr[7] : indptr[8]]
    data = dataset_of(csr_of(X), y, (categories("town", town.tolist()),))
    sequence = Sequences("seen", indptr, items, tuple("abcde"))
    return replace(data, sequences=(sequence,), dates=(Dates("since", moments),))


def test_copies_are_one_cluster_and_users_who_did_nothing_are_not() -> None:
    found = copies_of(table())
    assert set(found[250:260]) == {found[7]}
    assert len(np.unique(found)) == N - 10


def test_what_differs_in_anything_is_no_copy() -> None:
    data = table()
    names = ("aden", "giran")
    town = data.categorical[0].codes.copy()
    town[250] = (town[7] + 2) % 3 - 1
    other_town = replace(data, categorical=(replace(data.categorical[0], codes=town, levels=names),))
    moments = data.dates[0].moments.copy()
    moments[250] += np.timedelta64(1, "s")
    other_date = replace(data, dates=(Dates("since", moments),))
    X = data.X.toarray()
    X[250, 3] += 1
    for other in (other_town, other_date, replace(data, X=csr_of(X))):
        found = copies_of(other)
        assert found[250] != found[7]
        assert found[251] == found[7]


def test_a_sequence_in_another_order_is_another_row() -> None:
    data = table()
    codes = data.sequences[0].codes.copy()
    first = int(data.sequences[0].indptr[7])
    codes[first : first + 2] = 0, 1
    for k in range(250, 260):
        at = int(data.sequences[0].indptr[k])
        codes[at : at + 2] = (1, 0) if k == 250 else (0, 1)
    found = copies_of(replace(data, sequences=(replace(data.sequences[0], codes=codes),)))
    assert found[250] != found[7]
    assert found[251] == found[7]


def test_rows_that_are_alike_by_chance_are_no_copies() -> None:
    data = table()
    y = data.y.copy()
    y[250:260] = np.arange(10) % 2
    np.testing.assert_array_equal(copies_of(replace(data, y=y)), np.arange(N))


def test_a_declared_group_is_the_cluster() -> None:
    group = np.array([f"user{k % 50}" for k in range(N)], dtype=object)
    found = clusters_of(replace(table(), group=group))
    assert len(np.unique(found)) == 50
    assert (found[:50] == found[50:100]).all()


def test_copies_stand_on_one_side_and_in_one_fold() -> None:
    random = np.random.default_rng(4)
    once = counts(5, 400, 40, (0.1, 0.5)).toarray()
    origin = random.permutation(np.repeat(np.arange(400), 3))
    y = (random.random(400) < 0.3).astype(np.float32)
    split = split_rows(dataset_of(csr_of(once[origin]), y[origin]), SplitPolicy(test=0.2, valid=0.2))
    sides = [set(origin[rows].tolist()) for rows in (split.valid, split.test, *split.folds)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 400
    assert abs(len(split.test) / 1200 - 0.2) < 0.01
    np.testing.assert_array_equal(np.sort(np.concatenate(split.folds)), split.train)


def test_a_column_of_huge_numbers_does_not_make_rows_equal() -> None:
    """Nanoseconds of a day in a float64 sum leave steps of 256 to all that is added."""
    X = counts(4, N, 10, (0.4, 0.9)).toarray()
    X[:, 0] = 1.7e18 + np.arange(N) // 10 * 8.64e13
    X[:, 1] = np.arange(N) + 1
    data = dataset_of(csr_of(X), (np.arange(N) // 10 % 2).astype(np.float32))
    assert len(np.unique(copies_of(data))) == N
