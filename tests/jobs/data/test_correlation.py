"""Correlations of sparse columns equal numpy's of a dense copy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from jobs.data.correlation import CorrelatedPairs, correlated_pairs
from tests.jobs.tables import csr_of, random_dense


def as_dict(pairs: CorrelatedPairs) -> dict[tuple[int, int], float]:
    return {(i, j): r for i, j, r in zip(pairs.left.tolist(), pairs.right.tolist(), pairs.r.tolist(), strict=True)}


def dense_pairs(dense: np.ndarray, threshold: float) -> dict[tuple[int, int], float]:
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.nan_to_num(np.corrcoef(dense.astype(np.float64).T))
    left, right = np.nonzero(np.triu(np.abs(r) >= threshold, 1))
    return {(i, j): r[i, j] for i, j in zip(left.tolist(), right.tolist(), strict=True)}


@settings(deadline=None)  # the first call compiles
@given(
    seed=st.integers(0, 100_000),
    density=st.sampled_from([0.05, 0.3, 0.9]),
    n_columns=st.integers(2, 25),
    block_columns=st.integers(1, 30),
)
def test_pairs_equal_numpy_whatever_the_block(seed: int, density: float, n_columns: int, block_columns: int) -> None:
    dense = random_dense(seed, 30, n_columns, density)
    dense[:, -1] = -3 * dense[:, 0]  # one sure pair
    X, rows = csr_of(dense), np.arange(3, 30)
    found = as_dict(correlated_pairs(X, rows, 0.4, block_bytes=8 * n_columns * block_columns))
    wanted = dense_pairs(dense[rows], 0.4)
    edge = {pair for pair in found.keys() ^ wanted.keys() if abs(abs({**found, **wanted}[pair]) - 0.4) < 1e-9}
    assert found.keys() - edge == wanted.keys() - edge
    for pair in found.keys() & wanted.keys():
        assert found[pair] == pytest.approx(wanted[pair], abs=1e-9)


def test_blocks_give_the_same_bits() -> None:
    X, rows = csr_of(random_dense(1, 50, 40)), np.arange(50)
    whole = correlated_pairs(X, rows, 0.01)
    cut = correlated_pairs(X, rows, 0.01, block_bytes=8 * 40 * 7)
    for name in ("left", "right", "r"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(cut, name))
    assert len(whole.r) > 500


def test_twins_are_found_at_a_threshold_of_one() -> None:
    dense = np.abs(random_dense(3, 100, 20, 0.7))
    twins = np.hstack([dense, dense])
    found = as_dict(correlated_pairs(csr_of(twins), np.arange(100), 1.0))
    assert found.keys() == {(k, k + 20) for k in range(20)}
    assert max(abs(r) for r in found.values()) <= 1


def test_a_constant_column_correlates_with_nothing() -> None:
    dense = random_dense(2, 30, 4, 1.0)
    dense[:, 1] = 0
    dense[:, 2] = 5
    found = as_dict(correlated_pairs(csr_of(dense), np.arange(30), 1e-9))
    assert found.keys() == {(0, 3)}


def test_columns_far_from_zero_are_correlated_without_cancellation() -> None:
    random = np.random.default_rng(4)
    dense = (random.normal(size=(500, 3)) + 5000).astype(np.float32)
    found = as_dict(correlated_pairs(csr_of(dense), np.arange(500), 1e-6))
    for (i, j), r in dense_pairs(dense, 1e-6).items():
        assert found[i, j] == pytest.approx(r, abs=1e-7)


def test_no_columns_have_no_pairs() -> None:
    found = correlated_pairs(csr_array((5, 0), dtype=np.float32), np.arange(5), 0.9)
    assert (len(found.left), len(found.right), len(found.r)) == (0, 0, 0)
