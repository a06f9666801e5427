"""Calibration of held-out logits."""

import numpy as np
import pytest

from jobs.net.tasks import BINARY, REGRESSION, Task
from jobs.selection.calibration import Calibration, calibrate, fit_shift
from tests.jobs.tables import draw_labels


def test_slope_and_intercept_are_those_of_greatest_likelihood() -> None:
    f = np.random.default_rng(1).normal(size=4000) * 2
    y = draw_labels(0.6 * f - 0.5, 2)
    found = calibrate(f, y)
    assert (found.slope, found.intercept) == (pytest.approx(0.6, abs=0.08), pytest.approx(-0.5, abs=0.15))
    residual = y - 1 / (1 + np.exp(-found.apply(f)))
    assert abs(residual.mean()) < 1e-4
    assert abs((residual * f).mean()) < 1e-4


def test_logits_that_point_the_wrong_way_are_worth_the_share_of_positives() -> None:
    f = np.linspace(-3, 3, 200)
    y = (f < -1.5).astype(np.float32)
    share = y.mean()
    assert calibrate(f, y) == Calibration(0.0, pytest.approx(np.log(share / (1 - share))))


def test_constant_logits_have_nothing_to_calibrate() -> None:
    y = np.array([1, 0, 0, 0] * 10, np.float32)
    found = calibrate(np.zeros(40), y)
    np.testing.assert_allclose(found.apply(np.zeros(40)), np.log(1 / 3), atol=1e-3)


def test_shares_of_classes_that_weights_have_moved_are_taken_back() -> None:
    random, task = np.random.default_rng(3), Task("multiclass", 4)
    f = random.normal(size=(6000, 4)) * 1.5 + np.array([1.0, 0.0, 0.0, -40.0])  # the last class never comes
    y = (0.7 * f + random.gumbel(size=f.shape)).argmax(axis=1).astype(np.float32)
    found = calibrate(f + np.array([0.0, 0.0, 3.0, 41.0]), y, task)
    assert found.slope == pytest.approx(0.7, abs=0.05)
    p = task.predictions(found.apply(f + np.array([0.0, 0.0, 3.0, 41.0])))
    np.testing.assert_allclose(p.mean(axis=0), np.bincount(y.astype(int), minlength=4) / 6000, atol=2e-3)


def test_a_shift_makes_the_mean_right_and_leaves_the_order() -> None:
    random, classes = np.random.default_rng(5), Task("multiclass", 3)
    f = random.normal(size=3000)
    y = draw_labels(f - 1.2, 6)
    assert fit_shift(f, y, BINARY) == pytest.approx(-1.2, abs=0.15)
    p = 1 / (1 + np.exp(-f - fit_shift(f, y, BINARY)))
    assert p.mean() == pytest.approx(y.mean(), abs=1e-4)
    assert fit_shift(f, (f + 3).astype(np.float32), REGRESSION) == pytest.approx(3, abs=1e-6)
    f = random.normal(size=(3000, 3))
    y = (f + np.array([2.0, 0.0, -1.0]) + random.gumbel(size=f.shape)).argmax(axis=1).astype(np.float32)
    p = classes.predictions(f + fit_shift(f, y, classes))
    np.testing.assert_allclose(p.mean(axis=0), np.bincount(y.astype(int)) / 3000, atol=1e-3)


def test_a_shift_is_finite_where_a_label_never_comes() -> None:
    assert np.isfinite(fit_shift(np.zeros(50), np.zeros(50, np.float32), BINARY)).all()


@pytest.mark.parametrize("intercept", [0.5, (0.5, 1.0)])
def test_a_shifted_calibration_adds_to_its_intercepts(intercept: float | tuple[float, ...]) -> None:
    f = np.ones((4, 2)) if isinstance(intercept, tuple) else np.ones(4)
    one, by = Calibration(2.0, intercept), np.array([1.0, -1.0])[: np.size(intercept)]
    np.testing.assert_allclose(one.shifted(by).apply(f), one.apply(f) + by)
