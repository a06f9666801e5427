"""Which rows train, validate and test."""

from dataclasses import replace

import numpy as np
import pytest

from jobs.data.dataset import Dataset
from jobs.data.split import Split, SplitPolicy, split_rows
from tests.jobs.tables import counts, csr_of, dataset_of

N = 1000


def table(n: int = N, share: float = 0.1, **roles: np.ndarray) -> Dataset:
    y = np.zeros(n, np.float32)
    y[: int(n * share)] = 1
    y = np.random.default_rng(0).permutation(y)
    return dataset_of(csr_of(np.ones((n, 1), np.float32)), y, **roles)


def assert_partition(split: Split, n: int = N) -> None:
    together = np.concatenate([split.train, split.valid, split.test])
    np.testing.assert_array_equal(np.sort(together), np.arange(n))
    np.testing.assert_array_equal(np.sort(np.concatenate(split.folds)), split.train)
    for rows in (split.train, split.valid, split.test, *split.folds):
        assert (np.diff(rows) > 0).all()
    for number, fold in enumerate(split.folds):
        np.testing.assert_array_equal(split.training_rows_of(number), np.setdiff1d(split.train, fold))
        assert not np.intersect1d(split.training_rows_of(number), split.held_out_rows_of(number)).size
    judged = np.concatenate([split.held_out_rows_of(number) for number in range(len(split.folds))])
    np.testing.assert_array_equal(np.sort(judged), split.known)
    np.testing.assert_array_equal(split.known, np.setdiff1d(np.arange(n), split.test))


def test_every_side_and_every_fold_has_its_share_of_positives() -> None:
    data = table()
    split = split_rows(data, SplitPolicy(test=0.2, valid=0.1, folds=5))
    assert_partition(split)
    assert (len(split.test), len(split.valid), len(split.train)) == (200, 100, 700)
    assert [int(data.y[rows].sum()) for rows in (split.test, split.valid, *split.folds)] == [20, 10, 14, 14, 14, 14, 14]


def test_the_seed_alone_decides() -> None:
    one, same, other = (split_rows(table(), SplitPolicy(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.test, same.test)
    for mine, its in zip(one.folds, same.folds, strict=True):
        np.testing.assert_array_equal(mine, its)
    assert set(one.test.tolist()) != set(other.test.tolist())


def test_without_stratification_shares_of_positives_vary() -> None:
    data = table()
    split = split_rows(data, SplitPolicy(stratify=False, seed=3))
    assert_partition(split)
    assert len({int(data.y[fold].sum()) for fold in split.folds}) > 1


def test_no_group_stands_on_two_sides_or_in_two_folds() -> None:
    group = np.random.default_rng(1).integers(0, 120, N).astype(str)
    split = split_rows(table(share=0.4, group=group), SplitPolicy(by="group", test=0.2, valid=0.2))
    assert_partition(split)
    sides = [set(group[rows]) for rows in (split.valid, split.test, *split.folds)]
    assert sum(len(side) for side in sides) == len(set.union(*sides)) == 120
    assert 0.1 < len(split.test) / N < 0.3


def test_the_latest_rows_test_and_those_before_them_validate() -> None:
    random = np.random.default_rng(2)
    time = np.datetime64("2026-01-01") + random.integers(0, 50, N).astype("timedelta64[D]")
    split = split_rows(table(share=0.4, time=time), SplitPolicy(by="time", test=0.2, valid=0.1))
    assert_partition(split)
    assert time[split.train].max() < time[split.valid].min()
    assert time[split.valid].max() < time[split.test].min()
    assert 0.15 < len(split.test) / N < 0.27
    assert 0.05 < len(split.valid) / N < 0.15


def test_folds_by_time_are_stretches_of_time() -> None:
    time = np.random.default_rng(3).permutation(N)
    split = split_rows(table(share=0.4, time=time), SplitPolicy(by="time", folds=4))
    for before, after in zip(split.folds, split.folds[1:], strict=False):
        assert time[before].max() < time[after].min()


def test_a_declared_split_wins_over_the_shares() -> None:
    declared = np.array((["train"] * 6 + ["valid", "valid", "test", "test"]) * 100, dtype=object)
    split = split_rows(table(share=0.4, split=declared), SplitPolicy(test=0.5, valid=0.4))
    assert_partition(split)
    for name, rows in (("train", split.train), ("valid", split.valid), ("test", split.test)):
        np.testing.assert_array_equal(rows, np.flatnonzero(declared == name))


def test_periods_are_stretches_of_time_and_validation_rows_that_are_not_drawn() -> None:
    time = np.random.default_rng(3).permutation(N).astype(np.int64)
    by_time = split_rows(table(share=0.4, time=time), SplitPolicy(by="time", folds=4))
    for number, rows in enumerate((*by_time.folds, by_time.valid)):
        assert set(by_time.periods[rows].tolist()) == {number}
    sides = np.random.default_rng(2).choice(["train", "valid", "test"], N)
    declared = split_rows(table(share=0.4, split=sides), SplitPolicy(folds=4))
    untimed = split_rows(table(share=0.4, split=sides), SplitPolicy(by="time", folds=4))  # its folds are drawn
    for split in (declared, untimed):
        np.testing.assert_array_equal(split.periods[split.known] > 0, np.isin(split.known, split.valid))
    assert not split_rows(table(), SplitPolicy()).periods.any()


def test_a_declared_split_may_hold_three_words_only() -> None:
    declared = np.array(["train", "holdout"] * (N // 2), dtype=object)
    with pytest.raises(ValueError, match=r"holds 'holdout'; it may hold train, valid and test only"):
        split_rows(table(split=declared), SplitPolicy())


def test_a_split_by_time_needs_a_time() -> None:
    with pytest.raises(ValueError, match="names no time column"):
        split_rows(table(), SplitPolicy(by="time"))


@pytest.mark.parametrize(
    ("n", "share", "policy"),
    [
        (40, 0.05, SplitPolicy(folds=5)),  # two positives for five folds and two sides
        (12, 0.5, SplitPolicy(test=0.05, valid=0.05)),  # a side of one row
        (30, 0.1, SplitPolicy(stratify=False)),
        (4, 0.5, SplitPolicy(folds=5)),
    ],
)
def test_too_few_rows_of_a_class_are_refused(n: int, share: float, policy: SplitPolicy) -> None:
    with pytest.raises(ValueError, match=r"."):
        split_rows(table(n, share), policy)


def test_the_side_that_lacks_a_class_is_named() -> None:
    declared = np.array(["train"] * 80 + ["valid"] * 10 + ["test"] * 10, dtype=object)
    y = np.array(([0, 1] * 45) + [0] * 10, np.float32)
    data = dataset_of(csr_of(np.ones((100, 1), np.float32)), y, split=declared)
    with pytest.raises(ValueError, match="test would have 10 rows, 0 of them positive; both classes are needed"):
        split_rows(data, SplitPolicy())


def test_numbers_that_float32_takes_for_equal_are_split_by_all_their_digits() -> None:
    numbers = 1.7e9 + np.arange(200) % 20
    data = replace(dataset_of(counts(1, 200, 5), numbers.astype(np.float32)), classes=(), numbers=numbers)
    split = split_rows(data, SplitPolicy(0.2, 0.2, "row", True, 3, 1))
    assert abs(numbers[split.test].mean() - numbers.mean()) < 0.5
