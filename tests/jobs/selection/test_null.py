"""The empirical null: its width, what all z have in common, and what an estimated width costs."""

import numpy as np
import pytest
from scipy.stats import norm, t

from jobs.selection.null import MIN_WIDTH, normal_equivalent, slope_of_the_middle, width_of_the_middle


def test_the_width_of_the_null() -> None:
    random = np.random.default_rng(8)
    assert width_of_the_middle(random.normal(0, 0.8, 500)) == MIN_WIDTH
    wide = random.normal(0, 1.5, 4000)
    assert width_of_the_middle(wide) == pytest.approx(1.5, rel=0.04)
    assert width_of_the_middle(np.append(wide, np.full(300, 30.0))) == pytest.approx(1.5, rel=0.06)
    assert width_of_the_middle(np.full(10, 9.0)) == MIN_WIDTH


def test_the_width_of_the_middle_errs_less_than_a_median() -> None:
    z = 1.5 * np.random.default_rng(3).normal(size=(400, 200))
    middles = [width_of_the_middle(each) for each in z]
    medians = np.median(np.abs(z), axis=1) / norm.ppf(0.75)
    assert np.mean(middles) == pytest.approx(1.5, rel=0.02)
    assert np.std(middles) < 0.95 * np.std(medians)


def test_what_all_have_in_common_is_told_by_the_middle() -> None:
    random = np.random.default_rng(4)
    share = random.uniform(-0.5, 1.5, (400, 1))
    z = random.normal(size=400) + 0.8 * share[:, 0]
    z[:30] = 15
    assert slope_of_the_middle(z, share) == pytest.approx(0.8, abs=0.15)
    assert slope_of_the_middle(z, np.zeros((400, 1))) == 0
    assert slope_of_the_middle(np.ones(10), np.ones((10, 1))) == 0
    assert slope_of_the_middle(z, share[:, :0]).shape == (0,)


def test_few_columns_tell_a_width_that_may_be_too_small() -> None:
    """Where z is divided by a width that n columns have told, its tail is that of t with .6 n degrees of freedom."""
    z = np.array([-6.0, -2.5, 0.0, 0.3, 3.3])
    expected = np.sign(z) * norm.isf(t.sf(np.abs(z), 60))
    np.testing.assert_allclose(normal_equivalent(z, 100), expected, atol=0.01)
    assert np.isfinite(normal_equivalent(np.array([1e8]), 100)).all()
    np.testing.assert_allclose(normal_equivalent(z, 100_000), z, rtol=1e-3)
    random, drawn = np.random.default_rng(5), list[np.ndarray]()
    for _ in range(3000):
        noise = 1.5 * random.normal(size=100)
        drawn.append(normal_equivalent(noise / width_of_the_middle(noise), 100))
    share = float((np.abs(np.concatenate(drawn)) > norm.isf(0.0005)).mean())
    assert 0.0006 < share < 0.0013
