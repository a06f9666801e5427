"""Columns that are the label in disguise."""

import numpy as np

from jobs.data.screens import drifting_columns, exposure_columns, is_leak, leak_suspects, rows_seen_before
from tests.jobs.tables import counts, csr_of

ROWS = np.arange(300)


def table() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    y = (random.random(400) < 0.3).astype(np.float32)
    dense = counts(6, 400, 60).toarray()
    return dense, y


def test_a_copy_of_the_label_is_suspected_in_either_direction() -> None:
    dense, y = table()
    dense[:, 7] = y * 3
    dense[:, 40] = 5 - y
    assert leak_suspects(csr_of(dense), y, ROWS).tolist() == [7, 40]


def test_strong_signal_is_no_leak() -> None:
    dense, y = table()
    dense[:, 7] = y + np.random.default_rng(7).normal(size=400) * 0.5  # an AUC near .92
    assert leak_suspects(csr_of(dense), y, ROWS).tolist() == []


def test_only_training_rows_are_looked_at() -> None:
    dense, y = table()
    dense[300:, 7] = 100 * y[300:]
    dense[:300, 7] = 0
    dense[:300, 8] = y[:300]
    dense[300:, 8] = 1 - y[300:]
    assert leak_suspects(csr_of(dense), y, ROWS).tolist() == [8]


def test_fewer_columns_than_candidates_are_all_looked_at() -> None:
    _, y = table()
    assert leak_suspects(csr_of(y[:, None]), y, ROWS).tolist() == [0]
    assert leak_suspects(csr_of(np.zeros((400, 0), np.float32)), y, ROWS).tolist() == []


def test_a_category_that_is_the_label_in_disguise_is_a_leak() -> None:
    y = (np.arange(400) % 3 == 0).astype(np.float32)
    disguised = np.where(y == 1, np.arange(400) % 5, 5 + np.arange(400) % 7).astype(np.int32)
    assert is_leak(disguised, y, ROWS)
    assert not is_leak((np.arange(400) % 7).astype(np.int32), y, ROWS)


def test_a_column_whose_mean_moves_drifts() -> None:
    X = counts(8, 4000, 40, (0.1, 0.5)).toarray()
    X[3000:, 5] += np.random.default_rng(9).poisson(1.0, 1000)
    train, test = np.arange(3000), np.arange(3000, 4000)
    assert drifting_columns(csr_of(X), train, test).tolist() == [5]
    assert drifting_columns(csr_of(X), train, np.arange(0)).tolist() == []


def test_a_column_that_counts_everything_is_an_exposure() -> None:
    X = counts(8, 1000, 60, (0.1, 0.5)).toarray()
    X[:, 7] = np.log1p((X > 0).sum(axis=1)) + 1
    assert exposure_columns(csr_of(X), np.arange(800)).tolist() == [7]
    assert exposure_columns(csr_of(np.ones((10, 3))), np.arange(10)).tolist() == []


def test_test_rows_that_equal_a_training_row_are_counted() -> None:
    X = counts(8, 300, 60, (0.1, 0.5)).toarray()
    X[250], X[251] = X[3], X[4]
    X[252], X[5] = 0, 0  # two users who did nothing are no twins
    train, test = np.arange(250), np.arange(250, 300)
    assert rows_seen_before(csr_of(X), train, test) == 2


def test_a_number_is_told_by_its_logarithm_too() -> None:
    random = np.random.default_rng(4)
    y = np.exp(2 * random.normal(size=400)).astype(np.float32)
    dense = random.poisson(1.0, (400, 12)).astype(np.float32)
    dense[:, 5], dense[:, 9] = np.log(y) + 10, -y
    assert leak_suspects(csr_of(dense), y, ROWS).tolist() == [5, 9]
