"""Weighted sums over non-zeros, and saddlepoint tails, against dense float64 references."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom, norm

from jobs.data.kernels import column_places
from jobs.selection.score_kernels import cluster_sums, code_sums, saddlepoint_tail, weighted_products
from tests.jobs.tables import csr_of, random_dense

DENSE = random_dense(1, 60, 12, 0.4)
Z, D = csr_of(DENSE), DENSE.astype(np.float64)
ARRAYS = (Z.indptr, Z.indices, Z.data)
RANDOM = np.random.default_rng(2)
ROWS = RANDOM.permutation(60)[:45]
R, H = RANDOM.normal(size=45), RANDOM.uniform(0.1, 0.25, 45)
BOTH = np.stack([D[ROWS], 1.0 * (D[ROWS] != 0)])  # value and presence


def test_the_sums_of_a_code() -> None:
    out = np.ones((12, 5))
    code_sums(*ARRAYS, ROWS, R, H, out)
    value, presence = BOTH
    wanted = [R @ value, H @ value, H @ value**2, R @ presence, H @ presence]
    np.testing.assert_allclose(out - 1, np.stack(wanted, axis=1), rtol=1e-10, atol=1e-12)


def test_products_of_values_and_presences() -> None:
    chosen = np.array([2, 5, 11])
    own = csr_of(DENSE[:, chosen])
    starts, entry, row = column_places(own.indptr, own.indices, ROWS, 3)
    M = np.zeros((3, 2, 2, 12))
    weighted_products(starts, row, own.data[entry], ROWS, *ARRAYS, H, M)
    wanted = np.einsum("i,uia,vij->auvj", H, BOTH[:, :, chosen], BOTH)
    np.testing.assert_allclose(M, wanted, rtol=1e-6, atol=1e-9)


def test_sums_over_clusters() -> None:
    cluster, root = np.repeat(np.arange(15), 3), np.sqrt(H)
    total = np.bincount(cluster, root)
    starts, entry, row = column_places(Z.indptr, Z.indices, ROWS, 12)
    out = np.zeros((12, 2, 2))
    cluster_sums(starts, row, Z.data[entry], cluster, root, total, out)
    S = (BOTH * root[:, None]).reshape(2, 15, 3, 12).sum(axis=2)  # (value or presence, cluster, column)
    np.testing.assert_allclose(out[:, :, 0], (S**2).sum(axis=1).T, rtol=1e-6)
    np.testing.assert_allclose(out[:, :, 1], np.einsum("ugj,g->ju", S, total), rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rest", [0.05, 0.5])
def test_a_tail_equals_that_of_all_outcomes(seed: int, rest: float) -> None:
    random = np.random.default_rng(seed)
    a, p = random.uniform(0.3, 1, 12), random.uniform(0.01, 0.3, 12)
    outcomes = np.array(list(product([0, 1], repeat=12)), float)
    chance = np.prod(np.where(outcomes == 1, p, 1 - p), axis=1)
    centred = outcomes @ a - p @ a
    for q in (1.0, 2.0, 3.0):
        wanted = float(chance @ norm.sf((q - centred) / np.sqrt(rest)))
        assert saddlepoint_tail(a, p, rest, q) == pytest.approx(wanted, rel=0.15)


def test_what_a_sum_cannot_reach_has_no_chance() -> None:
    """Of 54 rows that are hit once in 700 no fewer than none can be: the sum lies .08 below its mean at least."""
    a, p = np.full(54, 0.7), np.full(54, 0.0014)
    assert saddlepoint_tail(-a, p, 0.0, 1.0) == 0
    assert saddlepoint_tail(a, p, 0.0, 1.3) == pytest.approx(binom.sf(1, 54, 0.0014), rel=0.7)


def test_a_normal_sum_has_a_normal_tail() -> None:
    assert saddlepoint_tail(np.zeros(0), np.zeros(0), 4.0, 6.0) == pytest.approx(norm.sf(3), rel=1e-6)
