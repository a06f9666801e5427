"""Correlating very many columns takes no memory for their pairs: nothing ever grows like p x p."""

import tracemalloc
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array, hstack

from jobs.data.correlation import correlated_pairs
from tests.jobs.tables import csr_of, random_dense

N_ROWS = 2000
N_EACH = 4  # non-zeros of a column: so few, and yet no two columns are alike by chance
ENOUGH_BYTES = 300e6


def wide_table(n_columns: int, n_twins: int) -> csr_array:
    """Return so many sparse columns, the last of which are three times the first."""
    random = np.random.default_rng(0)
    n_own = n_columns - n_twins
    quarters = N_ROWS // N_EACH * np.arange(N_EACH)
    places = random.integers(0, N_ROWS // N_EACH, (n_own, N_EACH)) + quarters  # distinct and sorted in each column
    values = random.integers(1, 9, places.size).astype(np.float32)
    own = csc_array((values, places.ravel(), N_EACH * np.arange(n_own + 1)), (N_ROWS, n_own))
    X = csr_array(hstack([own, 3 * own[:, :n_twins]], format="csr"))
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X


@contextmanager
def allocated() -> Generator[list[int]]:
    """Put into the list how many bytes numpy and Python held at most within the block."""
    few = csr_of(random_dense(0, 50, 20))
    correlated_pairs(few, np.arange(50), 0.9)  # what compiling allocates is not meant
    peak: list[int] = []
    tracemalloc.start()
    try:
        yield peak
        peak.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def test_planted_twins_among_many_columns_are_found_and_nothing_else() -> None:
    n_columns, n_twins = 10_000, 50
    X = wide_table(n_columns, n_twins)
    with allocated() as peak:
        found = correlated_pairs(X, np.arange(N_ROWS), 0.999)
    first = n_columns - n_twins
    np.testing.assert_array_equal(found.left, np.arange(n_twins))
    np.testing.assert_array_equal(found.right, np.arange(first, n_columns))
    np.testing.assert_allclose(found.r, 1, atol=1e-12)
    assert peak[0] < ENOUGH_BYTES < 8 * n_columns**2


class Abandoned(Exception):
    """Enough columns were compared."""


def test_fifty_thousand_columns_need_no_memory_for_their_pairs() -> None:
    n_columns, compared = 50_000, [0]

    def count(finished: int) -> None:
        compared[0] += finished
        if compared[0] >= 2000:
            raise Abandoned

    X = wide_table(n_columns, 50)
    with allocated() as peak, pytest.raises(Abandoned):
        correlated_pairs(X, np.arange(N_ROWS), 0.999, on_columns=count)
    assert peak[0] < ENOUGH_BYTES < 8 * n_columns**2
