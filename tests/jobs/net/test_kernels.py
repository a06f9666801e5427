"""Products of sparse rows and the step of the codes, against dense float64 references."""

import numpy as np
import pytest

from jobs.net.codes import CodeOptimizer, codes_gradient, codes_of
from jobs.net.kernels import linear_pieces
from jobs.net.threads import compute_on
from tests.jobs.tables import csr_of, random_dense

DENSE = random_dense(1, 90, 70, 0.2)
Z = csr_of(DENSE)
ROWS = np.random.default_rng(2).permutation(90)[:41]


@pytest.mark.parametrize("d", [1, 31, 32, 33, 80])
def test_codes_of_rows_equal_the_dense_product(d: int) -> None:
    W = np.random.default_rng(d).normal(size=(70, d)).astype(np.float32)
    wanted = DENSE[ROWS].astype(np.float64) @ W
    np.testing.assert_allclose(codes_of(Z, ROWS, W), wanted, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("d", [1, 31, 32, 33, 80])
def test_the_gradient_of_codes_equals_the_dense_product(d: int) -> None:
    G = np.random.default_rng(d).normal(size=(41, d)).astype(np.float32)
    wanted = DENSE[ROWS].astype(np.float64).T @ G
    np.testing.assert_allclose(codes_gradient(Z, ROWS, G), wanted, rtol=1e-5, atol=4e-6)


def dense_steps(W: np.ndarray, gradients: list[np.ndarray], rate: float, penalty: float) -> np.ndarray:
    """Adam (Kingma and Ba 2015, algorithm 1) with the mean square of a row as its second moment; group-lasso prox."""
    W = W.astype(np.float64)
    m, v = np.zeros_like(W), np.zeros(len(W))
    for t, gradient in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * (gradient**2).mean(axis=1)
        moved = v > 0
        step = rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)[:, None]
        W = np.where(moved[:, None], W - step, W)
        norm = np.linalg.norm(W, axis=1, keepdims=True)
        shrink = np.maximum(0, 1 - rate * penalty / np.maximum(norm, 1e-300))
        W = np.where(moved[:, None], W * shrink, W)
    return W


@pytest.mark.parametrize("penalty", [0.0, 3.0])
def test_steps_of_the_codes_equal_adam_with_a_group_lasso(penalty: float) -> None:
    random = np.random.default_rng(3)
    W = random.normal(size=(20, 7)).astype(np.float32) * 0.05
    gradients = [random.normal(size=(20, 7)).astype(np.float32) * 10.0 ** random.integers(-4, 3) for _ in range(12)]
    for gradient in gradients:
        gradient[4] = 0  # never a gradient
        gradient[5] *= 1e-3
    gradients[0][6] = 0  # its first comes late
    stepped = W.copy()
    optimizer = CodeOptimizer(stepped, 1e-2, penalty)
    for gradient in gradients:
        optimizer.step(gradient)
    np.testing.assert_allclose(stepped, dense_steps(W, gradients, 1e-2, penalty), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(stepped[4], W[4])


def test_the_penalty_silences_a_column_whose_gradients_disagree_and_keeps_one_whose_agree() -> None:
    random = np.random.default_rng(4)
    W = np.full((2, 8), 0.01, np.float32)
    optimizer = CodeOptimizer(W, 1e-2, 1.0)
    for _ in range(200):
        gradient = random.normal(size=(2, 8)).astype(np.float32)
        gradient[1] = -1 + 0.3 * gradient[1]
        optimizer.step(gradient)
    assert not W[0].any()
    assert (W[1] > 0.3).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_results_do_not_depend_on_the_number_of_threads(seed: int) -> None:
    random = np.random.default_rng(seed)
    big = csr_of(random_dense(seed, 700, 300, 0.1))
    rows = random.permutation(700)
    W = random.normal(size=(300, 70)).astype(np.float32)
    G = random.normal(size=(700, 70)).astype(np.float32)
    found = []
    for threads in (1, 2):
        compute_on(threads)
        stepped = W.copy()
        optimizer = CodeOptimizer(stepped, 1e-2, 2.0)
        gradient = codes_gradient(big, rows, G)
        for _ in range(3):
            optimizer.step(gradient)
        found.append((codes_of(big, rows, W), gradient, stepped))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("pieces", [1, 8, 60])  # 60: some pieces have no row
def test_the_logistic_loss_and_its_gradient_equal_the_dense_ones(pieces: int) -> None:
    random = np.random.default_rng(4)
    w, b, weight = random.normal(size=70), 0.3, 2.5
    y = (random.random(90) < 0.4).astype(np.float32)
    losses, gradients = np.zeros(pieces), np.zeros((pieces, 71))
    linear_pieces(Z.indptr, Z.indices, Z.data, ROWS, y, weight, False, w, b, losses, gradients)
    X, labels = DENSE[ROWS].astype(np.float64), y[ROWS]
    f = X @ w + b
    weights = np.where(labels, weight, 1.0)
    residual = weights * (1 / (1 + np.exp(-f)) - labels)
    np.testing.assert_allclose(losses.sum(), weights @ (np.logaddexp(0, f) - labels * f), rtol=1e-12)
    np.testing.assert_allclose(gradients.sum(axis=0), np.append(X.T @ residual, residual.sum()), rtol=1e-10, atol=1e-12)


def test_the_squared_loss_and_its_gradient_equal_the_dense_ones() -> None:
    random = np.random.default_rng(5)
    w, b, y = random.normal(size=70), 0.3, random.normal(size=90).astype(np.float32)
    losses, gradients = np.zeros(8), np.zeros((8, 71))
    linear_pieces(Z.indptr, Z.indices, Z.data, ROWS, y, 1.0, True, w, b, losses, gradients)
    X = DENSE[ROWS].astype(np.float64)
    residual = X @ w + b - y[ROWS]
    np.testing.assert_allclose(losses.sum(), residual @ residual / 2, rtol=1e-12)
    np.testing.assert_allclose(gradients.sum(axis=0), np.append(X.T @ residual, residual.sum()), rtol=1e-10, atol=1e-12)
