"""Links, losses and distributions of the tasks."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from jobs.net.tasks import BERNOULLI, REGRESSION, Family, Task, binary_loss, sigmoid


def test_probabilities_are_those_of_the_logistic_function_without_overflow() -> None:
    f = np.array([-1000, -2, 0, 2, 1000], float)
    np.testing.assert_allclose(sigmoid(f), [0, 1 / (1 + np.e**2), 0.5, 1 / (1 + np.e**-2), 1], atol=1e-15)


def test_the_loss_is_the_negative_log_likelihood() -> None:
    f, y = np.array([-1000.0, -2, 0, 2, 1000]), np.array([1, 0, 1, 1, 0], np.float32)
    wanted = [1000, -np.log(1 - 1 / (1 + np.e**2)), np.log(2), -np.log(1 / (1 + np.e**-2)), 1000]
    np.testing.assert_allclose(binary_loss(f, y), wanted, rtol=1e-12)


TASKS = [Task(), Task("multiclass", 4), REGRESSION]


def case(task: Task) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    shape = (61, task.n_outputs) if task.n_outputs > 1 else 61
    f = random.uniform(-30, 30, shape)
    y = random.normal(size=61) if task.kind == "regression" else random.integers(0, task.n_classes, 61)
    return f, y.astype(np.float32)


@pytest.mark.parametrize("task", TASKS)
def test_the_weighted_loss_comes_with_its_derivative(task: Task) -> None:
    f, y = case(task)
    weights = np.array([] if task.kind == "regression" else [1.0, 3.0, 0.5, 2.0][: task.n_classes], np.float32)
    losses, slope = task.weighted_losses(f.astype(np.float32), y, weights)
    weight = weights[y.astype(int)] if len(weights) else np.ones(61)
    np.testing.assert_allclose(losses, weight * task.losses(f, y), rtol=1e-5, atol=1e-4)
    for output in range(task.n_outputs):
        step = np.zeros_like(f)
        step[..., output] = 1e-4
        if task.n_outputs == 1:
            step = np.full(61, 1e-4)
        wanted = weight * (task.losses(f + step, y) - task.losses(f - step, y)) / 2e-4
        np.testing.assert_allclose(slope.reshape(61, -1)[:, output], wanted, atol=1e-4, rtol=1e-5)
    assert losses.dtype == slope.dtype == np.float32


def test_the_loss_of_several_classes_is_that_of_scikit_learn() -> None:
    task = TASKS[1]
    f, y = case(task)
    p = task.predictions(f)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    assert task.losses(f / 10, y).mean() == pytest.approx(
        log_loss(y, task.predictions(f / 10), labels=range(4)), rel=1e-9
    )


def test_a_class_against_all_others_has_the_logit_of_its_probability() -> None:
    task = TASKS[1]
    f = case(task)[0] / 10
    for k in range(4):
        np.testing.assert_allclose(sigmoid(task.one_output(f, k)), task.predictions(f)[:, k], rtol=1e-9)
    np.testing.assert_array_equal(task.one_label(np.array([0, 2, 1, 2], np.float32), 2), [0, 1, 0, 1])


@pytest.mark.parametrize("family", [BERNOULLI, Family(0.7)])
def test_residuals_and_weights_are_derivatives_of_the_loss(family: Family) -> None:
    f, y = np.linspace(-5, 5, 41), (np.arange(41) % 2).astype(np.float32)
    step = 1e-4
    up, here, down = (family.losses(f + shift, y) for shift in (step, 0, -step))
    np.testing.assert_allclose(family.residuals(f, y), -(up - down) / (2 * step), atol=1e-6)
    np.testing.assert_allclose(family.weights(f), (up - 2 * here + down) / step**2, atol=1e-5)


def test_the_variance_of_a_value_is_that_of_its_residuals() -> None:
    f, y = np.array([0.0, 1, 2]), np.array([1.0, 1, 0], np.float32)
    assert REGRESSION.family(f, y).dispersion == pytest.approx(5 / 3)
    assert Task().family(f, y) == BERNOULLI
