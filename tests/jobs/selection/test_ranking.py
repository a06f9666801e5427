"""From evidence to a verdict: the false discovery rate by hand, the width of the null."""

import numpy as np
import pytest
from scipy.stats import norm

from jobs.selection.gain import Evidence
from jobs.selection.ranking import MIN_NULL_WIDTH, null_width, select_columns

N = 1000


def evidence(z: list[float], gain: list[float] | None = None, n_rows: int = N) -> Evidence:
    """Return evidence whose scores have these z."""
    score = np.array(z, float)
    squares = 1 + score**2 / n_rows
    return Evidence(n_rows, np.array(z if gain is None else gain, float), squares, score, squares)


def test_columns_are_selected_by_benjamini_and_hochberg() -> None:
    z = np.array([4.0, 1.0, 2.2, 2.9, -3.0])
    verdict = select_columns([evidence((z * MIN_NULL_WIDTH).tolist())], q=0.05)
    p = norm.sf(z)
    # By rising p: columns 0, 3, 2, 1, 4 of 5.
    wanted = [p[0] * 5, min(p[1] * 5 / 4, p[4]), p[2] * 5 / 3, p[3] * 5 / 2, p[4]]
    np.testing.assert_allclose(verdict.q_value, wanted, rtol=1e-9)
    assert verdict.selected.tolist() == [True, False, True, True, False]
    np.testing.assert_allclose(verdict.score_z, z, rtol=1e-12)
    assert verdict.null_width == MIN_NULL_WIDTH


def test_the_rank_is_by_gain_and_ties_go_by_position() -> None:
    verdict = select_columns([evidence([0, 0, 0, 9], gain=[1.0, 5.0, 1.0, -2.0])], q=0.1)
    assert verdict.rank.tolist() == [2, 1, 3, 4]
    np.testing.assert_allclose(verdict.gain, [0.001, 0.005, 0.001, -0.002])


def test_folds_are_judged_together_and_stability_is_the_share_that_agree() -> None:
    folds = [evidence([3.0, -1.0, 2.0]), evidence([1.0, 1.0, -1.0]), evidence([2.0, 1.0, -1.0]), evidence([1, 1, 0])]
    verdict = select_columns(folds, q=0.1)
    assert verdict.stability.tolist() == [1.0, 0.75, 0.25]
    total = sum(folds[1:], start=folds[0])
    np.testing.assert_allclose(verdict.score_z, total.score_z / MIN_NULL_WIDTH)
    np.testing.assert_allclose(verdict.gain, np.array([7.0, 2.0, 0.0]) / (4 * N))


def test_a_wide_null_is_taken_from_the_lower_half() -> None:
    lower = np.linspace(-6, -0.1, 30)
    z = np.concatenate([lower, -lower, np.full(4, 40.0), [0.0] * 9])
    assert np.median(z) == 0
    assert null_width(z) == pytest.approx(np.sqrt(np.mean(lower**2)))


def test_true_columns_do_not_widen_the_null() -> None:
    noise = np.random.default_rng(1).normal(0, 1.6, 2000)
    with_signal = np.concatenate([noise, np.full(100, 12.0)])
    assert null_width(with_signal) == pytest.approx(1.6, rel=0.1)


def test_a_null_left_of_zero_is_measured_around_its_own_centre() -> None:
    z = np.random.default_rng(1).normal(-0.5, 1.5, 4000)
    assert null_width(z) == pytest.approx(1.5, rel=0.06)


def test_the_width_is_never_taken_below_the_least_nor_from_few_columns() -> None:
    assert null_width(np.random.default_rng(1).normal(0, 0.5, 500)) == MIN_NULL_WIDTH
    assert null_width(np.array([-50.0] * 10 + [50.0] * 10)) == MIN_NULL_WIDTH
