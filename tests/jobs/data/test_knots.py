"""Curves of common columns, against dense references."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from jobs.data.design import bend_numbers, design_of, encode, fit_vocabulary
from jobs.data.knots import Knots, bend, fit_bends, fit_knots
from tests.jobs.tables import categories

ROWS = 2000


def csr_of(dense: np.ndarray) -> csr_array:
    X = csr_array(dense.astype(np.float32))
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X


def fitted(dense: np.ndarray, rows: np.ndarray | None = None, most: int = 16) -> Knots:
    rows = np.arange(len(dense)) if rows is None else rows
    return fit_knots(csr_of(dense), rows, (dense[rows] != 0).sum(axis=0), most)


def dense_table(n_columns: int = 3) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(ROWS, n_columns)).astype(np.float32)


def test_a_value_is_followed_by_its_place_between_two_knots_and_zero_by_nothing() -> None:
    knots = Knots(np.array([0, 3, 3]), np.array([1, 2, 4], np.float32))
    dense = np.array([[0.5, 7], [1, 0], [1.25, 0], [4, 1], [9, 0], [0, 2]])

    bent = bend(csr_of(dense), knots).toarray()

    assert bent.tolist() == [
        [0.5, 1, 0, 0, 7],
        [1, 1, 0, 0, 0],
        [1.25, 0.75, 0.25, 0, 0],
        [4, 0, 0, 1, 1],
        [9, 0, 0, 1, 0],
        [0, 0, 0, 0, 2],
    ]


def test_hats_are_linear_interpolation_whatever_the_values() -> None:
    dense = dense_table()
    knots = fitted(dense)
    bent = bend(csr_of(dense), knots)

    first = np.concatenate([[0], np.cumsum(knots.widths)])
    for column in range(3):
        at = knots.at[knots.starts[column] : knots.starts[column + 1]]
        height = np.random.default_rng(column).normal(size=len(at))
        hats = bent[:, first[column] + 1 : first[column + 1]]
        np.testing.assert_allclose(hats @ height, np.interp(dense[:, column], at, height), atol=1e-5)
        assert hats.sum(axis=1) == pytest.approx(np.ones(ROWS), abs=1e-6)


def test_rows_outside_the_training_rows_change_nothing() -> None:
    dense, rows = dense_table(), np.arange(0, ROWS, 2)
    before = fitted(dense, rows)
    dense[1::2] *= 100
    after = fitted(dense, rows)
    assert (before.at.tolist(), before.starts.tolist()) == (after.at.tolist(), after.starts.tolist())


def test_knots_are_few_for_few_rows_and_columns_that_are_equally_common_are_treated_alike() -> None:
    assert np.diff(fitted(dense_table(3)).starts).tolist() == [16, 16, 16]
    assert np.diff(fitted(dense_table(10)).starts).tolist() == [8] * 10
    assert np.diff(fitted(dense_table(20)).starts).tolist() == [4] * 20
    assert not len(fitted(dense_table(21)).at)


def test_the_commonest_columns_come_first() -> None:
    dense = dense_table(21)
    dense[:40, 5] = 0
    assert np.flatnonzero(np.diff(fitted(dense).starts) == 0).tolist() == [5]


def test_a_sparse_table_and_a_problem_without_knots_have_none() -> None:
    random = np.random.default_rng(0)
    sparse = np.hstack([dense_table(), random.random((ROWS, 400)) < 0.05])
    assert not len(fitted(sparse).at)
    assert not len(fitted(dense_table(), most=0).at)
    X = csr_of(sparse)
    assert bend(X, fitted(sparse)) is X


def test_a_column_of_two_values_is_its_presence_and_few_values_are_knots_each() -> None:
    dense = dense_table()
    dense[:, 1] = np.arange(ROWS) % 2
    dense[:, 2] = np.arange(ROWS) % 4
    knots = fitted(dense)
    assert np.diff(knots.starts).tolist() == [16, 0, 3]
    assert knots.at[-3:].tolist() == [1, 2, 3]


def test_a_design_with_knots_owns_ranges_and_knows_its_plain_codes() -> None:
    dense = dense_table()
    knots = fitted(dense, most=5)

    design = design_of(csr_of(dense), ("a", "b", "c"), (), (), knots)

    assert design.starts.tolist() == [0, 6, 12, 18]
    assert design.plain_codes.tolist() == [0, 6, 12]
    np.testing.assert_array_equal(design.Z[:, design.plain_codes].toarray(), dense)


def test_what_most_rows_have_is_tested_along_a_few_bends_in_any_table() -> None:
    random = np.random.default_rng(0)
    half = np.where(np.arange(ROWS) % 2, random.gamma(2, size=ROWS), 0)[:, None]
    sparse = np.hstack([dense_table(2), half, random.random((ROWS, 400)) < 0.3])
    knots = fit_bends(csr_of(sparse), np.arange(ROWS), (sparse != 0).sum(axis=0))
    assert np.diff(knots.starts).tolist() == [5, 5, 5] + [0] * 400
    of_half = knots.at[-5:]
    np.testing.assert_allclose(of_half, np.quantile(half[half > 0], np.linspace(0, 1, 5)), rtol=1e-5)


def test_a_design_is_bent_where_it_has_numbers_alone() -> None:
    dense = dense_table(2)
    town = categories("town", ["Aden", "Giran"] * (ROWS // 2))
    vocabulary = fit_vocabulary(town, np.arange(ROWS), 1)
    codes = [(vocabulary, encode(town, vocabulary))]
    plain = design_of(csr_of(dense), ("a", "b"), codes)
    knots = fit_bends(csr_of(dense), np.arange(ROWS), (dense != 0).sum(axis=0))
    bent, at_once = bend_numbers(plain, knots), design_of(csr_of(dense), ("a", "b"), codes, (), knots)
    np.testing.assert_array_equal(bent.Z.toarray(), at_once.Z.toarray())
    assert bent.starts.tolist() == at_once.starts.tolist() == [0, 6, 12, 15]
    assert bent.plain_codes.tolist() == [0, 6, 12, 13, 14]
    assert bend_numbers(plain, Knots(np.zeros(3, np.int64), np.zeros(0, np.float32))) is plain
