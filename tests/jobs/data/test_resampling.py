"""Rarer classes made more frequent, on the rows that train and on no other."""

import numpy as np
import pytest

from jobs.data.resampling import multiplied, resample
from jobs.data.split import FEW_ROWS
from tests.jobs.tables import counts, dataset_of, draw_labels, problem_of

Z = counts(1, 400, 12)
Y = (np.arange(400) % 8 == 0).astype(np.float32)
TRAIN = np.arange(300)


@pytest.mark.parametrize("method", ["none", "class_weights"])
def test_other_names_change_nothing(method: str) -> None:
    same = resample(Z, Y, TRAIN, method, 1)
    assert same[0] is Z
    assert same[1] is Y
    assert same[2] is TRAIN


@pytest.mark.parametrize(("method", "n"), [("undersample", 76), ("nearmiss", 76), ("oversample", 524), ("smote", 524)])
def test_classes_become_equally_frequent(method: str, n: int) -> None:
    table, labels, rows = resample(Z, Y, TRAIN, method, 1)
    assert len(rows) == n
    assert labels[rows].mean() == 0.5
    np.testing.assert_array_equal(table[: Z.shape[0]].toarray(), Z.toarray())
    assert rows[rows < 400].max() < 300  # nothing that judges has come in
    assert (table.indices.dtype, table.indptr.dtype, table.dtype) == (np.int32, Z.indptr.dtype, np.float32)


@pytest.mark.parametrize("method", ["undersample", "nearmiss", "oversample", "smote", "tomek"])
def test_it_is_known_what_becomes_of_the_share_of_each_class(method: str) -> None:
    _, labels, rows = resample(Z, Y, TRAIN, method, 1)
    before, after = (np.bincount(each.astype(int)) for each in (Y[TRAIN], labels[rows]))
    times = multiplied(np.append(before, 0), method)
    if method != "tomek":
        np.testing.assert_allclose(times, np.append(after / after.sum() / (before / before.sum()), 0))
    assert bool(times) == (method != "tomek")


def test_what_smote_makes_lies_between_rows_of_its_class() -> None:
    table, labels, rows = resample(Z, Y, TRAIN, "smote", 1)
    made = table[rows[rows >= 400]].toarray()
    positive = Z[TRAIN][Y[TRAIN] == 1].toarray()
    assert labels[400:].all()
    assert (made <= positive.max(axis=0)).all()
    assert len(np.unique(made.round(5), axis=0)) > 100


def test_tomek_links_only_take_away_commoner_rows() -> None:
    _, _, rows = resample(Z, Y, TRAIN, "tomek", 1)
    assert set(TRAIN[Y[TRAIN] == 1]) <= set(rows.tolist())
    assert len(rows) < 300


@pytest.mark.parametrize("n_rare", [1, 2, 3])
def test_smote_works_with_few_rows(n_rare: int) -> None:
    few = np.zeros(400, np.float32)
    few[:n_rare] = 1
    _, labels, rows = resample(Z, few, TRAIN, "smote", 1)
    assert labels[rows].sum() == round(n_rare * (300 - n_rare) / FEW_ROWS)  # as of twenty rows, each copied so often


@pytest.mark.parametrize("method", ["oversample", "undersample", "nearmiss"])
def test_a_class_of_one_row_does_not_become_the_table(method: str) -> None:
    few = np.zeros(400, np.float32)
    few[1:31], few[0] = 1, 2
    _, labels, rows = resample(Z, few, TRAIN, method, 1)
    found = np.bincount(labels[rows].astype(int)).tolist()
    assert found == ([269, 269, round(269 / FEW_ROWS)] if method == "oversample" else [FEW_ROWS, FEW_ROWS, 1])


def test_the_same_seed_gives_the_same_rows() -> None:
    one, other = (resample(Z, Y, TRAIN, "undersample", 3)[2] for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert dataset_of(Z, draw_labels(np.zeros(400), 1)).n_rows == 400
    assert problem_of(imbalance={"method": "smote"}).imbalance.method == "smote"
