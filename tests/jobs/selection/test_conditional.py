"""The test of single columns: against dense algebra, under the null, behind twins, with few positives."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom, norm

from jobs.data.dataset import Design
from jobs.data.design import bend_numbers
from jobs.data.knots import fit_bends
from jobs.net.tasks import GAUSSIAN
from jobs.selection.conditional import Conditional, conditional_test
from jobs.selection.coordinates import Coordinates
from jobs.selection.held_out import HeldOut
from jobs.selection.neighbours import normal_scores
from jobs.selection.nuisance import Nuisance
from tests.jobs.tables import categories, counts, csr_of, draw_labels, mixed_design

N, P = 3000, 60


def design_of(X: np.ndarray) -> Design:
    return mixed_design(csr_of(X), (), np.arange(len(X)))


def judged(X: np.ndarray, y: np.ndarray, folds: list[HeldOut]) -> Conditional:
    """The verdict on rows that are independent."""
    return conditional_test(design_of(X), y, folds, np.ones((X.shape[1], 2)))


def folds_of(f: np.ndarray, effect: np.ndarray) -> list[HeldOut]:
    parts = np.array_split(np.random.default_rng(0).permutation(len(f)), 3)
    return [HeldOut(rows, f[rows], f[rows], effect) for rows in parts]


def blind(y: np.ndarray, n_codes: int) -> list[HeldOut]:
    """Folds whose nets know the share of positives, and nothing else."""
    share = y.mean(dtype=np.float64)
    return folds_of(np.full(len(y), np.log(share / (1 - share))), np.zeros(n_codes))


@pytest.mark.parametrize("has_factor", [False, True])
def test_the_projection_equals_dense_algebra(has_factor: bool) -> None:
    X = counts(1, 400, 10, (0.1, 0.6)).toarray().astype(np.float64)
    design = design_of(X)
    random = np.random.default_rng(2)
    y = draw_labels(X[:, 0] * 0.3 - 1, 3)
    effect = random.normal(size=10) * 0.1
    shared = X @ random.normal(size=10) if has_factor else None
    nuisance = Nuisance(design, y, folds_of(X @ effect - 1, effect), np.ones((10, 2)), shared)
    coordinates, active = Coordinates(nuisance.sums, design), np.array([0, 4])
    z = coordinates.project(nuisance.products(active))
    rows = nuisance.sums.rows
    full = np.hstack([X, 1.0 * (X > 0)])[:, np.append(np.arange(10), 10 + coordinates.code[10:])][rows]
    p = 1 / (1 + np.exp(1 - X[rows] @ effect))
    r, h = y[rows] - p, p * (1 - p)
    for at, code in enumerate(coordinates.code):
        others = np.isin(coordinates.code, active) & (coordinates.code != code)
        f = X[rows] @ effect - 1
        common = (
            []
            if shared is None
            else [shared[rows], (f - f.mean()) ** 2, (f - f.mean()) * (shared - shared.mean())[rows]]
        )
        nuisances = np.column_stack([np.ones(len(rows)), *common, full[:, others]]) * np.sqrt(h)[:, None]
        own = full[:, at] * np.sqrt(h)
        left = own - nuisances @ np.linalg.lstsq(nuisances, own, rcond=None)[0]
        without = r + h * X[rows][:, code] * effect[code]  # what the net says of the column, put back
        wanted = left @ (without / np.sqrt(h)) / np.linalg.norm(left)
        assert z[at] == pytest.approx(wanted, rel=0.01, abs=0.01)  # the projection has a ridge of a thousandth


@pytest.mark.parametrize(("n_rows", "all_active"), [(3500, False), (4500, True)])
def test_with_five_hundred_rows_a_column_all_are_active_in_place_of_what_they_have_in_common(
    n_rows: int, all_active: bool
) -> None:
    random = np.random.default_rng(1)
    X = random.poisson(random.gamma(1.0, 1.0, n_rows)[:, None], (n_rows, 8)).astype(np.float64)
    y = (0.3 * X[:, 0] + random.normal(size=n_rows)).astype(np.float32)
    rows = np.array_split(random.permutation(n_rows), 3)
    folds = [HeldOut(part, 0.2 * X[part, 0], np.zeros(len(part)), np.zeros(8), GAUSSIAN) for part in rows]
    nuisance = Nuisance(design_of(X), y, folds, np.ones((8, 2)), X.sum(axis=1))
    assert (len(nuisance.order_of_entry()[1].active) == 8) == all_active
    assert (nuisance.sums.common[:, 0] == 0).all() == all_active
    assert (nuisance.sums.common[:, 1:] != 0).any(axis=0).all()  # the bends are there either way


def test_columns_of_a_period_do_not_stand_for_what_else_was_different_then() -> None:
    """Late rows have the first twenty columns twice as often, and the label hardly ever; no column acts."""
    period = (np.arange(N) > 0.7 * N).astype(np.int64)
    X, more = (counts(seed, N, P, (0.05, 0.3)).toarray() for seed in (1, 2))
    X[:, :20] += more[:, :20] * period[:, None]
    y = draw_labels(1 - 4.0 * period, 4)
    one, each = (conditional_test(design_of(X), y, blind(y, P), np.ones((P, 2)), None, by) for by in (None, period))
    assert (one.p_value[:20] < 1e-3).sum() >= 3
    assert each.p_value.min() > 1e-3
    assert np.abs(each.z).mean() < np.abs(one.z).mean()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_chance_is_kept_where_nothing_acts(seed: int) -> None:
    X = counts(seed, N, 300).toarray()
    y = draw_labels(np.full(N, -0.5), seed)
    found = judged(X, y, blind(y, 300)).p_value
    assert (found < 0.05).mean() < 0.08
    assert found.min() > 1e-5


def twins() -> tuple[np.ndarray, np.ndarray]:
    """Column 0 acts, column 1 is its twin at r .9."""
    X = (counts(4, N, P, (0.1, 0.4)).toarray() > 0).astype(np.float64)
    changed = np.random.default_rng(5).random(N) < 0.05
    X[:, 1] = np.where(changed, 1 - X[:, 0], X[:, 0])
    return X, draw_labels(1.5 * X[:, 0] + 0.5 * X[:, 2] - 1, 6)


def test_a_twin_of_a_true_column_is_not_called_true() -> None:
    X, y = twins()
    assert np.corrcoef(X[:, 0], X[:, 1])[0, 1] > 0.85
    found = judged(X, y, blind(y, P))
    assert found.p_value[0] < 1e-6
    assert found.p_value[1] > 0.001
    assert found.entry[0] == 1


def test_a_column_is_active_for_what_it_shows_beside_stronger_ones() -> None:
    X, y = twins()
    marginal = np.abs((X - X.mean(axis=0)).T @ (y - y.mean())) / X.std(axis=0) / y.std() / np.sqrt(len(y))
    assert marginal[1] > 10
    order, products = Nuisance(design_of(X), y, blind(y, P), np.ones((P, 2))).order_of_entry()
    active = products.active
    assert order[0] == 0
    assert {0, 2} <= set(active.tolist()) <= set(order.tolist())
    assert 1 not in active
    assert len(active) <= 4  # z^2 > log n: one column of noise in two hundred


def test_a_code_that_no_row_has_neither_narrows_the_null_nor_weakens_its_column() -> None:
    """Every category has a code for rare levels, which may have no row; 60 of these are 60 zeros among 180 z."""
    random = np.random.default_rng(8)
    levels = (
        random.integers(0, 2, (N // 4, 60)).repeat(4, axis=0).astype(str)
    )  # every row four times: z is twice as wide
    y = (random.random(N // 4) < 0.4).repeat(4).astype(np.float32)
    design = mixed_design(csr_of(np.zeros((N, 0))), [categories(str(k), levels[:, k]) for k in range(60)], np.arange(N))
    found = conditional_test(design, y, blind(y, design.n_codes), np.ones((design.n_codes, 2)))
    assert 1.6 < found.width < 2.4
    np.testing.assert_allclose(found.p_value, 2 * norm.sf(np.abs(found.z)), rtol=0.1)


def test_the_variance_of_a_number_is_that_of_all_folds() -> None:
    random = np.random.default_rng(8)
    X = counts(8, N, 12, (0.1, 0.5)).toarray()
    spread = np.repeat([1.0, 3.0, 1.0], [1000, 1000, 1000])
    found = []
    for _ in range(30):
        y = (random.normal(size=N) * spread).astype(np.float32)
        parts = np.array_split(np.arange(N), 3)
        zero = np.zeros(N)
        folds = [
            HeldOut(rows, zero[rows], zero[rows], np.zeros(12), GAUSSIAN.fitted(zero[rows], y[rows])) for rows in parts
        ]
        found.append(judged(X, y, folds).p_value)
    assert 0.02 < (np.ravel(found) < 0.05).mean() < 0.08


@pytest.mark.parametrize("shape", [np.abs, lambda x: 1.0 * (x > 0.5), lambda x: x])
def test_a_number_acts_in_whatever_shape_and_its_relative_does_not(shape: Callable[[np.ndarray], np.ndarray]) -> None:
    """Along value and presence alone a distance from the mean is invisible, and a relative of a step stands out."""
    random = np.random.default_rng(9)
    X = random.normal(size=(6000, 12))
    X[:, 1] = 0.7 * X[:, 0] + 0.7 * random.normal(size=6000)
    y = draw_labels(1.2 * shape(X[:, 0]) - 1, 10)
    X = X - X.min(axis=0)
    plain = design_of(X)
    tested = bend_numbers(plain, fit_bends(plain.Z, np.arange(6000), (X != 0).sum(axis=0)))
    found = conditional_test(tested, y, blind(y, tested.n_codes), np.ones((tested.n_codes, 2)))
    assert found.p_value[0] < 1e-10
    assert found.p_value[1:].min() > 1e-3
    assert found.entry[0] == 1


def test_it_hardly_matters_how_much_the_nets_know_already() -> None:
    X, _ = twins()
    X[:, 1] = X[::-1, 1]  # no twin any more
    effect = np.zeros(P)
    effect[[0, 2]] = 0.5, 0.3
    y = draw_labels(X @ effect - 1, 6)
    found: list[Conditional] = [judged(X, y, folds) for folds in (blind(y, P), folds_of(X @ effect - 1, effect))]
    assert abs(found[0].z[0] - found[1].z[0]) < 0.5
    assert abs(found[0].z[2] - found[1].z[2]) < 0.5


def test_what_the_nets_know_of_a_strong_column_does_not_matter_to_a_weak_one() -> None:
    X, y = twins()
    X[:, 1] = X[::-1, 1]  # no twin any more
    effect = np.zeros(P)
    effect[[0, 2]] = 1.5, 0.5
    found: list[Conditional] = [judged(X, y, folds) for folds in (blind(y, P), folds_of(X @ effect - 1, effect))]
    assert abs(found[0].z[2] - found[1].z[2]) < 0.5


def test_a_copy_of_the_label_is_found_and_hides_nothing_but_itself() -> None:
    X, y = twins()
    X[:, 5] = y
    effect = np.zeros(P)
    effect[5] = 60.0
    found = judged(X, y, folds_of(X @ effect - 30, effect))
    assert np.isfinite(found.p_value).all()
    assert found.p_value[5] < 1e-4


@pytest.mark.parametrize("hits", [2, 3, 4, 6])
def test_the_tail_of_a_rare_column_is_that_of_its_labels(hits: int) -> None:
    n, share = 4000, 0.015
    random = np.random.default_rng(7)
    X = 1.0 * (random.random((n, 40)) < 0.3)
    y = np.zeros(n, np.float32)
    y[random.choice(n, int(share * n), replace=False)] = 1
    X[:, 0] = 0
    X[np.flatnonzero(y == 1)[:hits], 0] = 1  # of twenty, where a third of one is expected
    X[np.flatnonzero(y == 0)[: 20 - hits], 0] = 1
    found = judged(X, y, blind(y, 40))
    exact = binom.sf(hits - 1, 20, share)
    assert exact / 3 < found.p_value[0] < exact * 12  # a width above 1 counts more the further out
    assert 2 * norm.sf(found.z[0]) == pytest.approx(found.p_value[0], rel=1e-6)
    naive = (hits - 20 * share) / np.sqrt(20 * share * (1 - share))
    assert norm.sf(naive) < exact / 10


@pytest.mark.parametrize(("n_own", "hits", "share"), [(14, 0, 0.35), (14, 12, 0.35), (30, 2, 0.35), (45, 0, 0.02)])
def test_both_tails_are_as_rare_as_each_other(n_own: int, hits: int, share: float) -> None:
    """By how rare they are, not by distance: of 14 rows no positive is rarer than ten, which is as far from five."""
    n, random = 4000, np.random.default_rng(7)
    X = 1.0 * (random.random((n, 40)) < 0.3)
    y = (np.arange(n) < share * n).astype(np.float32)
    X[:, 0] = 0
    X[:hits, 0] = X[n - n_own + hits :, 0] = 1
    p = judged(X, y, blind(y, 40)).p_value[0]
    k = np.arange(n_own + 1)
    below, above, at = binom.cdf(k - 1, n_own, share), binom.sf(k, n_own, share), binom.pmf(k, n_own, share)
    lower, upper = below + at / 2, above + at / 2
    own, others = (lower, above + at) if hits < n_own * share else (upper, below + at)
    wanted = own[hits] + max(others[others <= own[hits]], default=0.0)  # Blaker (2000), with half of what is there
    assert wanted / 1.5 < p < wanted * 3  # a width above 1 counts more the further out


@pytest.mark.parametrize(("n", "shares", "base"), [(15_000, (0.002, 0.01), -6.0), (3000, (0.1, 0.6), -4.5)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_few_labels_of_one_kind_make_no_signal(n: int, shares: tuple[float, float], base: float, seed: int) -> None:
    """Normal tails give some column of 300 a p of 1e-10 behind rare ones, and of 1e-5 on one in ten tables."""
    X = counts(seed, n, 300, shares).toarray()
    y = draw_labels(np.full(n, base), seed)
    found = judged(X, y, blind(y, 300)).p_value
    assert (found < 0.01).sum() <= 9
    assert found.min() > 1e-4


def test_a_column_that_few_rows_have_is_no_signal_because_one_of_them_pays() -> None:
    """Where one row in a hundred pays, a payer is ten standard deviations from its neighbours."""
    random, n = np.random.default_rng(1), 6000
    X = (random.random((n, 200)) < 15 / n) * 1.0
    said = random.normal(size=n) * 0.01
    left = (random.random(n) < 0.01) * random.lognormal(2, 1, n)
    y = (said + normal_scores(said, left)).astype(np.float32)
    parts = np.array_split(np.random.default_rng(0).permutation(n), 3)
    family = GAUSSIAN.fitted(said, y)
    found = judged(X, y, [HeldOut(rows, said[rows], said[rows], np.zeros(200), family) for rows in parts])
    assert (found.p_value < 1e-3).sum() <= 2
    assert found.p_value.min() > 1e-5
    strong = X.copy()
    strong[:, 0] = 0
    strong[np.flatnonzero(left > 0)[:10], 0] = strong[:10, 0] = 1
    assert judged(strong, y, [HeldOut(r, said[r], said[r], np.zeros(200), family) for r in parts]).p_value[0] < 1e-3
