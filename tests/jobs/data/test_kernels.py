"""The sparse kernels against dense float64 references."""

import numpy as np
import pytest

from jobs.data.design import take_columns
from jobs.data.kernels import (
    column_counts,
    column_extremes,
    column_places,
    dense_columns,
    gram_block,
    pearson,
    weighted_column_sums,
)
from jobs.net.threads import compute_on
from tests.jobs.tables import csr_of, random_dense

ROWS = np.array([1, 3, 4, 7, 8, 11, 17, 19])


def test_extremes_count_zeros_as_values() -> None:
    dense = np.array([[2, -1, 0, 3], [5, -4, 0, 3], [0, -2, 0, 3], [9, 9, 9, 9]], np.float32)
    X = csr_of(dense)
    low, high, count = column_extremes(X.indptr, X.indices, X.data, np.array([0, 1, 2]), 4)
    assert low.tolist() == [0, -4, 0, 3]
    assert high.tolist() == [5, -1, 0, 3]
    assert count.tolist() == [2, 3, 0, 3]


def test_extremes_equal_numpy_over_the_rows_asked_for() -> None:
    dense = random_dense(1, 20, 30)
    X = csr_of(dense)
    low, high, count = column_extremes(X.indptr, X.indices, X.data, ROWS, 30)
    np.testing.assert_array_equal(low, dense[ROWS].min(axis=0))
    np.testing.assert_array_equal(high, dense[ROWS].max(axis=0))
    np.testing.assert_array_equal(count, (dense[ROWS] != 0).sum(axis=0))


@pytest.mark.parametrize("kept", [[0, 2, 5, 29], [], list(range(30))])
def test_selected_columns_equal_dense_columns(kept: list[int]) -> None:
    dense = random_dense(2, 20, 30)
    taken = take_columns(csr_of(dense), np.array(kept, np.int64))
    np.testing.assert_array_equal(taken.toarray(), dense[:, kept])
    assert taken.has_sorted_indices
    assert (taken.data.dtype, taken.indices.dtype) == (np.float32, np.int32)


def test_counts_are_those_of_the_entries() -> None:
    dense = random_dense(1, 20, 30)
    np.testing.assert_array_equal(column_counts(csr_of(dense).indices, 30), (dense != 0).sum(axis=0))


def test_weighted_sums_equal_the_dense_product_over_the_rows_asked_for() -> None:
    dense, weight = random_dense(1, 20, 30), np.random.default_rng(2).normal(size=20).astype(np.float32)
    weight[5] = np.nan  # a row that nobody asked for
    X = csr_of(dense)
    wanted = weight[ROWS].astype(np.float64) @ dense[ROWS]
    found = weighted_column_sums(X.indptr, X.indices, X.data, ROWS, weight, 30)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_columns_made_dense_are_those_asked_for_in_that_order() -> None:
    dense, columns = random_dense(1, 20, 30), np.array([7, 2, 29])
    X, position = csr_of(dense), np.full(30, -1)
    position[columns] = [0, 1, 2]
    found = dense_columns(X.indptr, X.indices, X.data, ROWS, position, 3)
    np.testing.assert_array_equal(found, dense[ROWS][:, columns])


def test_places_of_a_column_are_its_entries_in_the_order_of_the_rows() -> None:
    dense = random_dense(3, 20, 30)
    X = csr_of(dense)
    rows = ROWS[::-1].copy()
    starts, entry, number = column_places(X.indptr, X.indices, rows, 30)
    for column in range(30):
        own = slice(starts[column], starts[column + 1])
        np.testing.assert_array_equal(number[own], np.flatnonzero(dense[rows, column]))
        np.testing.assert_array_equal(X.data[entry[own]], dense[rows, column][number[own]])


@pytest.mark.parametrize(("first", "n_block"), [(0, 30), (0, 7), (21, 9), (29, 1)])
def test_a_block_of_the_gram_matrix_equals_numpy_at_and_right_of_the_diagonal(first: int, n_block: int) -> None:
    dense = random_dense(4, 20, 30)
    X = csr_of(dense)
    starts, entry, number = column_places(X.indptr, X.indices, ROWS, 30)
    G = np.zeros((n_block, 30))
    D, H = random_dense(6, 20, 4, 1.0)[ROWS], np.zeros((n_block, 4))
    gram_block(starts, entry, number, X.indptr[1:][ROWS], X.indices, X.data, first, D, G, H)
    beside = dense[ROWS].astype(np.float64).T @ D.astype(np.float64)
    np.testing.assert_allclose(H, beside[first : first + n_block], rtol=1e-13, atol=1e-15)
    wanted = dense[ROWS].astype(np.float64).T @ dense[ROWS].astype(np.float64)
    for local in range(n_block):
        column = first + local
        np.testing.assert_allclose(G[local, column:], wanted[column, column:], rtol=1e-13, atol=1e-15)


def test_the_gram_matrix_does_not_depend_on_the_number_of_threads() -> None:
    X = csr_of(random_dense(5, 300, 60))
    rows = np.arange(300)
    starts, entry, number = column_places(X.indptr, X.indices, rows, 60)
    grams = []
    for threads in (1, 2):
        compute_on(threads)
        grams.append(np.zeros((60, 60)))
        D, H = np.zeros((300, 0), np.float32), np.zeros((60, 0))
        gram_block(starts, entry, number, X.indptr[1:], X.indices, X.data, 0, D, grams[-1], H)
    np.testing.assert_array_equal(*grams)


def test_products_become_correlations_from_where_each_line_begins() -> None:
    dense = random_dense(7, 50, 6, 0.7).astype(np.float64)
    dense[:, 3] = 2.0
    dense[:, 5] = -dense[:, 1]
    mean, deviation, begin, strong = dense.mean(axis=0), dense.std(axis=0), np.arange(1, 7), np.zeros(6, np.int64)
    products = dense.T @ dense
    pearson(products, 50, mean, deviation, mean, deviation, begin, 0.9, strong)
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = np.nan_to_num(np.corrcoef(dense.T))
    np.testing.assert_allclose(np.triu(products, 1), np.triu(wanted, 1), atol=1e-12)
    assert strong.tolist() == [0, 1, 0, 0, 0, 0]
