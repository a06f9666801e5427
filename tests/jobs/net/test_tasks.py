"""Link and loss of the binary task."""

import numpy as np

from jobs.net.tasks import binary_loss, sigmoid, weighted_loss


def test_probabilities_are_those_of_the_logistic_function_without_overflow() -> None:
    f = np.array([-1000, -2, 0, 2, 1000], float)
    np.testing.assert_allclose(sigmoid(f), [0, 1 / (1 + np.e**2), 0.5, 1 / (1 + np.e**-2), 1], atol=1e-15)


def test_the_loss_is_the_negative_log_likelihood() -> None:
    f, y = np.array([-1000.0, -2, 0, 2, 1000]), np.array([1, 0, 1, 1, 0], np.float32)
    wanted = [1000, -np.log(1 - 1 / (1 + np.e**2)), np.log(2), -np.log(1 / (1 + np.e**-2)), 1000]
    np.testing.assert_allclose(binary_loss(f, y), wanted, rtol=1e-12)


def test_the_weighted_loss_comes_with_its_derivative() -> None:
    f, y = np.linspace(-30, 30, 61), (np.arange(61) % 2).astype(np.float32)
    losses, slope = weighted_loss(f.astype(np.float32), y, 3.0)
    weight = np.where(y, 3.0, 1.0)
    np.testing.assert_allclose(losses, weight * binary_loss(f, y), rtol=1e-5, atol=1e-5)
    step = 1e-4
    wanted = weight * (binary_loss(f + step, y) - binary_loss(f - step, y)) / (2 * step)
    np.testing.assert_allclose(slope, wanted, atol=1e-5)
    assert losses.dtype == slope.dtype == np.float32
