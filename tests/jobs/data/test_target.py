"""A label that is a number: learned on a scale of its own, told on its own."""

import numpy as np
import pytest

from jobs.data.target import fit_target

Y = np.concatenate([np.random.default_rng(1).lognormal(2, 1, 300), [-3.0, 0.0]]).astype(np.float32)


@pytest.mark.parametrize("log1p", [False, True])
def test_what_is_learned_is_standardised_and_comes_back(log1p: bool) -> None:
    rows = np.arange(0, 300, 2)
    target = fit_target(Y, rows, log1p=log1p)
    learned = target.of_label(Y)
    assert learned[rows].mean() == pytest.approx(0, abs=1e-6)
    assert learned[rows].std() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(target.to_label(learned.astype(np.float64)), Y, rtol=1e-4, atol=1e-4)


def test_rows_outside_training_change_nothing() -> None:
    changed = Y.copy()
    changed[1::2] = 99
    rows = np.arange(0, 300, 2)
    assert fit_target(changed, rows, log1p=True) == fit_target(Y, rows, log1p=True)


def test_a_label_of_one_value_does_not_divide_by_zero() -> None:
    target = fit_target(np.full(5, 3.0, np.float32), np.arange(5), log1p=False)
    np.testing.assert_array_equal(target.of_label(np.full(5, 3.0, np.float32)), 0)


def test_a_prediction_far_outside_is_the_largest_label_at_most() -> None:
    target = fit_target(Y, np.arange(300), log1p=True)
    said = target.to_label(np.array([-1e6, 1e6]))
    np.testing.assert_allclose(np.abs(said), 3.3e38, rtol=0.1)
    assert np.isfinite(said**2).all()
