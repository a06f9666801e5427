"""Calibration of held-out logits."""

import numpy as np
import pytest

from jobs.net.tasks import Task
from jobs.selection.calibration import Calibration, calibrate
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
