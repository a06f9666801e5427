"""Columns that are the label in disguise."""

import numpy as np

from jobs.data.screens import is_leak, leak_suspects
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
