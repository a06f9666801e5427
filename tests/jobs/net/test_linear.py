"""The linear model that every net stands on is the one that scikit-learn finds on a dense copy."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score

from jobs.net import linear
from jobs.net.linear import LinearModel, choose_adaptive_ridge, fit_adaptive_ridge, fit_ridge
from jobs.net.tasks import REGRESSION, Task
from tests.jobs.tables import counts, csr_of, draw_labels

Z = counts(1, 600, 30)
Y = draw_labels(Z.toarray()[:, :4] @ np.array([1, -1, 0.5, 0.5]) - 0.5, 2)
TRAIN, VALID = np.arange(0, 400), np.arange(400, 600)


@pytest.mark.parametrize("weight", [1.0, 4.0])
def test_the_ridge_equals_scikit_learn_on_a_dense_copy(weight: float) -> None:
    ours = fit_ridge(Z, Y, TRAIN, 0.3, (1.0, weight))
    dense = Z.toarray()[TRAIN].astype(np.float64)
    theirs = LogisticRegression(C=0.3, tol=1e-8, max_iter=5000, class_weight={0: 1.0, 1: weight}).fit(dense, Y[TRAIN])
    np.testing.assert_allclose(ours.w, theirs.coef_[0], atol=2e-3)  # L-BFGS stops at a gradient of 1e-4
    assert ours.b == pytest.approx(theirs.intercept_[0], abs=1e-2)
    least = objective(theirs.coef_[0], theirs.intercept_[0], dense, weight)
    assert objective(ours.w, ours.b, dense, weight) == pytest.approx(least, rel=1e-6)


def objective(w: np.ndarray, b: float, dense: np.ndarray, weight: float) -> float:
    """Return the weighted loss of the training rows plus the penalty at C = 0.3."""
    f, y = dense @ w + b, Y[TRAIN]
    return float((np.where(y, weight, 1.0) * (np.logaddexp(0, f) - y * f)).sum() * 0.3 + w @ w / 2)


def test_logits_are_the_linear_form() -> None:
    model = fit_ridge(Z, Y, TRAIN, 0.3)
    wanted = Z.toarray().astype(np.float64)[VALID] @ model.w + model.b
    np.testing.assert_allclose(model.logits(Z, VALID), wanted, atol=1e-5)


def test_the_strength_of_least_validation_loss_is_chosen() -> None:
    strengths = (1e-4, 0.1, 1000.0)
    (chosen,), _, model = choose_adaptive_ridge(Z, Y, TRAIN, VALID, strengths=strengths, rounds=1)
    losses = {}
    for strength in strengths:
        f = fit_ridge(Z, Y, TRAIN, strength).logits(Z, VALID)
        losses[strength] = log_loss(Y[VALID], 1 / (1 + np.exp(-f)))
    assert chosen == min(losses, key=losses.__getitem__) == 0.1
    np.testing.assert_allclose(model.w, fit_ridge(Z, Y, TRAIN, 0.1).w, atol=1e-2)  # it began at its neighbour


def test_under_class_weights_a_strength_is_judged_with_them() -> None:
    """Judged without, the strength that moves the intercept least is the best one, and nothing is learned."""
    random = np.random.default_rng(3)
    X = counts(5, 3000, 80, (0.05, 0.3))
    y = draw_labels(X.toarray()[:, :10] @ random.choice([-0.5, 0.5], 10) - 3.5, 6)
    train, valid, weights = np.arange(2000), np.arange(2000, 3000), (1.0, 25.0)
    (strength,), _, _ = choose_adaptive_ridge(X, y, train, valid, weights, weights, rounds=1)
    losses = {each: loss_of(fit_ridge(X, y, train, each, weights), X, y, valid, weights) for each in linear.STRENGTHS}
    assert strength == min(losses, key=losses.__getitem__)
    assert strength < max(linear.STRENGTHS)


def loss_of(model: LinearModel, X: csr_array, y: np.ndarray, rows: np.ndarray, weights: tuple[float, float]) -> float:
    return float(
        log_loss(y[rows], 1 / (1 + np.exp(-model.logits(X, rows))), sample_weight=np.take(weights, y[rows].astype(int)))
    )


def test_rows_outside_training_do_not_change_the_ridge() -> None:
    flipped = Y.copy()
    flipped[VALID] = 1 - flipped[VALID]
    np.testing.assert_array_equal(fit_ridge(Z, flipped, TRAIN, 1.0).w, fit_ridge(Z, Y, TRAIN, 1.0).w)


def test_the_search_ends_when_two_candidates_in_a_row_were_no_better(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def record(*args: object) -> LinearModel:
        tried.append(args[3])
        return fit_ridge(*args)

    monkeypatch.setattr(linear, "fit_ridge", record)
    among = (1e5, 0.1, 0.01, 1e2, 1e3, 1e-4, 1e4)
    (chosen,), _, _ = choose_adaptive_ridge(Z, Y, TRAIN, VALID, strengths=among, rounds=1)
    assert chosen == 0.1
    assert tried == [1e-4, 0.01, 0.1, 1e2, 1e3]


def test_the_ridge_of_a_value_is_that_of_scikit_learn() -> None:
    y = (Z.toarray()[:, :4] @ np.array([1, -1, 0.5, 0.5]) + np.random.default_rng(3).normal(size=600)).astype(
        np.float32
    )
    ours = fit_ridge(Z, y, TRAIN, 0.3, task=REGRESSION)
    theirs = Ridge(alpha=1 / 0.3).fit(Z.toarray()[TRAIN].astype(np.float64), y[TRAIN])
    np.testing.assert_allclose(ours.w, theirs.coef_, atol=2e-3)
    assert ours.b == pytest.approx(theirs.intercept_, abs=1e-2)


def test_the_ridge_of_several_classes_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(4)
    y = (Z.toarray()[:, :3] + random.gumbel(size=(600, 3))).argmax(axis=1).astype(np.float32)
    task = Task("multiclass", 3)
    ours = fit_ridge(Z, y, TRAIN, 0.3, task=task)
    dense = Z.toarray().astype(np.float64)
    theirs = LogisticRegression(C=0.3, tol=1e-8, max_iter=5000).fit(dense[TRAIN], y[TRAIN])
    np.testing.assert_allclose(task.predictions(ours.logits(Z, VALID)), theirs.predict_proba(dense[VALID]), atol=3e-3)
    alone = ours.of_output(1)
    np.testing.assert_allclose(alone.logits(Z, VALID), ours.logits(Z, VALID)[:, 1], rtol=1e-6, atol=1e-7)


def few_of_many(seed: int) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Of 300 columns five act: the design, the labels, the logits they were drawn with."""
    X = csr_of(counts(seed, 3000, 300, (0.05, 0.4)).toarray() > 0)
    f = X[:, :5].toarray() @ np.array([1.5, -1.5, 1.0, -1.0, 1.5]) - 0.5
    return X, draw_labels(f, seed + 1), f


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_few_columns_act_further_rounds_find_them(seed: int) -> None:
    X, y, f = few_of_many(seed)
    train, valid, test = np.arange(2000), np.arange(2000, 2400), np.arange(2400, 3000)
    strengths, loss, model = choose_adaptive_ridge(X, y, train, valid)
    _, _, ridge = choose_adaptive_ridge(X, y, train, valid, rounds=1)
    assert len(strengths) > 1
    assert loss < log_loss(y[valid], 1 / (1 + np.exp(-ridge.logits(X, valid))))
    best, plain, adaptive = (roc_auc_score(y[test], g) for g in (f[test], ridge.logits(X, test), model.logits(X, test)))
    assert best - adaptive < 0.7 * (best - plain)


def test_the_rounds_that_were_chosen_are_those_that_are_fitted() -> None:
    X, y, _ = few_of_many(4)
    train, valid = np.arange(2000), np.arange(2000, 2400)
    strengths, _, model = choose_adaptive_ridge(X, y, train, valid)
    again = fit_adaptive_ridge(X, y, train, strengths)
    np.testing.assert_allclose(again.logits(X, valid), model.logits(X, valid), atol=0.02)
    np.testing.assert_array_equal(fit_adaptive_ridge(X, y, train, (0.1,)).w, fit_ridge(X, y, train, 0.1).w)


def test_a_weight_with_a_wide_prior_is_shrunk_less() -> None:
    X, y, _ = few_of_many(5)
    spread = np.where(np.arange(300) == 0, 10.0, 0.1)
    wide, alike = fit_ridge(X, y, TRAIN, 0.03, spread=spread), fit_ridge(X, y, TRAIN, 0.03)
    assert wide.w[0] > 1.2 * alike.w[0]
    assert np.abs(wide.w[1:]).max() < 0.2 * np.abs(alike.w[1:]).max()
