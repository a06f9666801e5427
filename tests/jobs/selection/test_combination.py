"""One p-value of several: by hand, at the extremes, and under dependence."""

import numpy as np
import pytest
from scipy.stats import cauchy, norm

from jobs.selection.combination import combine


def test_it_is_the_tail_of_the_weighted_mean_of_cauchy_quantiles() -> None:
    p, owner, weight = np.array([0.02, 0.4, 0.7, 0.001]), np.array([0, 0, 0, 1]), np.array([2.0, 1.0, 1.0, 5.0])
    wanted = cauchy.sf(np.average(cauchy.isf(p[:3]), weights=weight[:3]))
    np.testing.assert_allclose(combine(p, owner, 2, weight), [wanted, 0.001], rtol=1e-9)


def test_an_owner_of_none_is_told_nothing() -> None:
    assert combine(np.array([0.3]), np.array([1]), 3).tolist() == [1.0, pytest.approx(0.3), 1.0]


@pytest.mark.parametrize("p", [1e-8, 1e-12, 1e-100, 1e-250])
def test_tiny_p_values_survive(p: float) -> None:
    found = combine(np.array([p, 0.5]), np.array([0, 0]), 1)[0]
    assert found == pytest.approx(2 * p, rel=1e-6)


def test_a_p_value_of_one_does_not_cancel_the_others() -> None:
    assert combine(np.array([1e-6, 1.0]), np.array([0, 0]), 1)[0] < 1e-5


@pytest.mark.parametrize("r", [0.0, 0.6, 0.95])
def test_chance_is_kept_whatever_the_dependence(r: float) -> None:
    random, n = np.random.default_rng(1), 40_000
    common = random.normal(size=(n, 1))
    z = np.sqrt(r) * common + np.sqrt(1 - r) * random.normal(size=(n, 3))
    p = combine(2 * norm.sf(np.abs(z)).ravel(), np.repeat(np.arange(n), 3), n)
    for level in (0.05, 0.005):
        assert (p < level).mean() < 1.25 * level
