"""The test of pairs: kernels against dense tables, planted pairs, twins of partners, chance."""

import numpy as np
import pytest

from jobs.data.dataset import Design
from jobs.net.tasks import BERNOULLI
from jobs.selection import interactions
from jobs.selection.held_out import HeldOut
from jobs.selection.interactions import Interactions, find_interactions, interacting_codes
from jobs.selection.pair_kernels import happenings, interaction_contrasts, joint_sums, own_sums, rows_by_column
from tests.jobs.tables import counts, csr_of, draw_labels, mixed_design

N = 5000


def centred(happened: np.ndarray) -> np.ndarray:
    return happened - happened.mean()


def found_in(
    X: np.ndarray, y: np.ndarray, block_bytes: int = 8 << 20, beyond: np.ndarray | float = 0.0
) -> Interactions:
    """The pairs that stand out where the nets know the share of positives and `beyond` (n,), logits, and no more."""
    design = design_of(X)
    f = np.full(N, np.log(y.mean() / (1 - y.mean()))) + beyond
    parts = np.array_split(np.random.default_rng(0).permutation(N), 3)
    folds = [HeldOut(rows, f[rows], f[rows], np.zeros(design.n_codes)) for rows in parts]
    return find_interactions(design, y, folds, np.ones(design.n_codes), block_bytes)


def design_of(X: np.ndarray) -> Design:
    return mixed_design(csr_of(X), (), np.arange(len(X)))


def planted(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Columns 3 and 7 act together, neither alone."""
    X = counts(seed, N, 40, (0.15, 0.5)).toarray()
    together = centred(1.0 * (X[:, 3] > 0)) * centred(1.0 * (X[:, 7] > 0))
    return X, draw_labels(6 * together - 0.5, seed + 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_planted_pair_is_found_and_no_other(seed: int) -> None:
    X, y = planted(seed)
    found = found_in(X, y)
    assert found.pairs.tolist() == [[3, 7]]
    assert found.p_value[[3, 7]].max() < 1e-6
    assert (np.delete(found.p_value, [3, 7]) == 1).all()


def test_rows_of_which_the_nets_are_all_too_sure_decide_nothing() -> None:
    """A logit of 800 leaves a residual of 0 and a weight of 0; or of 1, where it is wrong."""
    X, y = planted()
    sure = np.random.default_rng(5).random(N) < 0.01
    found = found_in(X, y, beyond=np.where(sure, 800.0 * (2 * y - 1), 0.0))
    assert found.pairs.tolist() == [[3, 7]]
    wrong = found_in(X, y, beyond=np.where(sure, -800.0 * (2 * y - 1), 0.0))
    assert np.isfinite(wrong.z).all()
    assert wrong.pairs[:1].tolist() in ([], [[3, 7]])


def test_a_twin_of_a_partner_says_nothing_more() -> None:
    X, y = planted()
    flipped = np.random.default_rng(3).random(N) < 0.05
    X[:, 12] = np.where(flipped, 1 - (X[:, 7] > 0), X[:, 7] > 0)
    assert found_in(X, y).pairs.tolist() == [[3, 7]]


def test_dense_columns_are_cut_at_their_mean() -> None:
    X, _ = planted()
    X[:, [3, 7]] = np.random.default_rng(4).normal(10, 1, (N, 2))
    y = draw_labels(1.5 * np.sign((X[:, 3] - 10) * (X[:, 7] - 10)) - 0.5, 5)
    assert found_in(X, y).pairs.tolist() == [[3, 7]]


def test_where_nothing_acts_hardly_ever_a_pair_stands_out() -> None:
    n_found = 0
    for seed in range(10):
        X = counts(seed, N, 60, (0.05, 0.4)).toarray()
        n_found += len(found_in(X, draw_labels(np.full(N, -0.5), seed)).pairs)
    assert n_found <= 1


def test_pairs_that_hardly_meet_are_not_tested() -> None:
    X, y = planted()
    X[:, 3] = 0
    X[:30, 3] = 1
    assert (found_in(X, y).p_value == 1).all()


def test_the_size_of_a_block_changes_nothing() -> None:
    X, y = planted()
    whole, cut = found_in(X, y), found_in(X, y, block_bytes=24 * 40 * 7)
    np.testing.assert_array_equal(cut.pairs, whole.pairs)
    np.testing.assert_array_equal(cut.p_value, whole.p_value)


def test_a_common_column_may_lie_below_zero() -> None:
    X, _ = planted()
    X[:, 3] = -1.0 * (np.random.default_rng(4).random(N) < 0.6)
    y = draw_labels(6 * centred(X[:, 3]) * centred(1.0 * (X[:, 7] > 0)) - 0.5, 2)
    assert found_in(X, y).pairs.tolist() == [[3, 7]]


def test_relatives_of_a_partner_are_judged_by_all_rows_though_few_tell_what_the_pair_says_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = planted()
    random = np.random.default_rng(6)
    for k in range(20, 24):
        X[:, k] = np.where(random.random(N) < 0.3, X[:, k], X[:, 7])
    whole = found_in(X, y)
    monkeypatch.setattr(interactions, "_CANDIDATE_ROWS", N // 10)
    some = found_in(X, y)
    assert whole.pairs.tolist() == some.pairs.tolist() == [[3, 7]]
    assert some.z[0] == pytest.approx(whole.z[0], rel=0.1)


def test_codes_that_act_together_on_some_rows_are_named() -> None:
    X, y = planted()
    rows = np.arange(0, N, 2)
    f = np.full(len(rows), -0.5)
    assert interacting_codes(design_of(X), y, rows, f, BERNOULLI).tolist() == [3, 7]


def test_the_kernels_equal_dense_tables() -> None:
    random = np.random.default_rng(9)
    X = counts(8, 80, 9, (0.3, 0.7)).toarray()
    X[:, 2] *= -1
    Z, rows, threshold = csr_of(X), random.permutation(80)[:60], np.where(np.arange(9) < 3, 1.5, -np.inf)
    side = np.where(np.arange(9) == 2, -1.0, 1.0)
    B = ((X[rows] * side > threshold) & (X[rows] != 0)).astype(float)
    indptr, indices = happenings(Z.indptr, Z.indices, Z.data, rows, threshold, side)
    starts, row = rows_by_column(indptr, indices, 9)
    assert [row[starts[j] : starts[j + 1]].tolist() for j in range(9)] == [np.flatnonzero(b).tolist() for b in B.T]
    r, h = random.normal(size=60), random.uniform(0.1, 0.25, 60)
    own, R, H, z = np.empty((9, 2)), np.zeros((9, 9)), np.zeros((9, 9)), np.zeros((9, 9))
    own_sums(starts, row, r, h, own)
    np.testing.assert_allclose(own, np.stack([r @ B, h @ B], axis=1))
    joint_sums(starts, row, indptr, indices, r, h, 0, R, H)
    np.testing.assert_allclose(R, np.triu((B * r[:, None]).T @ B, 1), atol=1e-12)
    np.testing.assert_allclose(H, np.triu((B * h[:, None]).T @ B, 1), atol=1e-12)
    interaction_contrasts(R, H, 0, own[:, 0], own[:, 1], r.sum(), h.sum(), 0.2, z)
    for j in range(9):
        for k in range(j + 1, 9):
            cells = [(B[:, j] == a) & (B[:, k] == b) for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))]
            sizes = np.array([h[cell].sum() for cell in cells])
            if sizes.min() < 0.2:
                assert z[j, k] == 0
                continue
            means = np.array([r[cell].sum() for cell in cells]) / sizes
            assert z[j, k] == pytest.approx(means @ [1, -1, -1, 1] / np.sqrt((1 / sizes).sum()))
