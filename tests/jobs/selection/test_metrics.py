"""Metrics equal scikit-learn's; their intervals are as wide as theory says; thresholds are the best there are."""

import numpy as np
import pytest
from sklearn import metrics as theirs

from jobs.selection.metrics import choose_threshold, evaluate
from tests.jobs.tables import draw_labels


def judged(n: int = 800, ties: bool = False, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    f = np.random.default_rng(seed).normal(-0.5, 1.5, n)
    y = draw_labels(f, seed + 1)
    return (np.round(f) if ties else f), y


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.73])
def test_every_metric_equals_scikit_learn(ties: bool, threshold: float) -> None:
    f, y = judged(ties=ties)
    p = 1 / (1 + np.exp(-f))
    called = p >= threshold
    wanted = {
        "auc": theirs.roc_auc_score(y, f),
        "average_precision": theirs.average_precision_score(y, f),
        "precision": theirs.precision_score(y, called),
        "recall": theirs.recall_score(y, called),
        "f1": theirs.f1_score(y, called),
        "accuracy": theirs.accuracy_score(y, called),
        "macro_f1": theirs.f1_score(y, called, average="macro"),
        "log_loss": theirs.log_loss(y, p),
        "brier": theirs.brier_score_loss(y, p),
    }
    found = evaluate(f, y, threshold, 3)
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(wanted, rel=1e-9)
    for estimate in found.values():
        assert estimate.low < estimate.value < estimate.high


def test_with_nobody_called_precision_is_zero_as_in_scikit_learn() -> None:
    f, y = judged()
    found = evaluate(f, y, 1.0, 3)
    assert (found["precision"].value, found["recall"].value, found["f1"].value) == (0, 0, 0)
    assert found["macro_f1"].value == pytest.approx(theirs.f1_score(y, np.zeros(len(y)), average="macro"))


def test_intervals_are_as_wide_as_those_of_a_mean() -> None:
    f, y = judged(4000)
    accuracy = evaluate(f, y, 0.5, 3)["accuracy"]
    spread = np.sqrt(accuracy.value * (1 - accuracy.value) / 4000)
    assert (accuracy.high - accuracy.low) / (2 * 1.96 * spread) == pytest.approx(1, abs=0.2)
    brier = evaluate(f, y, 0.5, 3)["brier"]
    spread = ((1 / (1 + np.exp(-f)) - y) ** 2).std() / np.sqrt(4000)
    assert (brier.high - brier.low) / (2 * 1.96 * spread) == pytest.approx(1, abs=0.2)


def test_intervals_depend_on_the_seed_alone() -> None:
    f, y = judged()
    assert evaluate(f, y, 0.5, 3) == evaluate(f, y, 0.5, 3)
    assert evaluate(f, y, 0.5, 3)["auc"] != evaluate(f, y, 0.5, 4)["auc"]


def test_the_order_of_the_rows_changes_no_value() -> None:
    f, y = judged(ties=True)
    order = np.random.default_rng(5).permutation(len(f))
    one, two = evaluate(f, y, 0.5, 3), evaluate(f[order], y[order], 0.5, 3)
    for name, estimate in one.items():
        assert two[name].value == pytest.approx(estimate.value, rel=1e-12)


def test_hand_computed_values() -> None:
    f = np.log(np.array([0.9, 0.8, 0.3, 0.2]) / np.array([0.1, 0.2, 0.7, 0.8]))
    found = evaluate(f, np.array([1, 0, 1, 0], np.float32), 0.5, 1)
    assert found["auc"].value == pytest.approx(3 / 4)
    assert found["average_precision"].value == pytest.approx((1 + 2 / 3) / 2)
    assert found["precision"].value == found["recall"].value == found["accuracy"].value == 0.5
    assert found["brier"].value == pytest.approx((0.01 + 0.64 + 0.49 + 0.04) / 4)
    assert found["log_loss"].value == pytest.approx(-np.log(0.9 * 0.2 * 0.3 * 0.8) / 4)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_threshold_of_greatest_macro_f1_is_found(ties: bool, seed: int) -> None:
    f, y = judged(120, ties, seed)
    p = 0.5 * (1 + np.tanh(0.5 * f))
    scores = {t: theirs.f1_score(y, p >= t, average="macro") for t in np.unique(p).tolist()}
    found = choose_threshold(f, y, "max_macro_f1", None)
    assert scores[found] == pytest.approx(max(scores.values()), rel=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("precision", [0.5, 0.7, 0.9])
def test_the_least_threshold_of_a_precision_is_found(ties: bool, precision: float) -> None:
    f, y = judged(120, ties)
    p = 0.5 * (1 + np.tanh(0.5 * f))
    reached = [t for t in np.unique(p).tolist() if y[p >= t].mean() >= precision]
    assert choose_threshold(f, y, "precision_at", precision) == min(reached)


def test_where_no_threshold_reaches_a_precision_the_most_precise_one_is_taken() -> None:
    f, y = np.array([3.0, 2.0, 1.0, 0.0]), np.array([0, 1, 1, 0], np.float32)
    assert choose_threshold(f, y, "precision_at", 0.99) == pytest.approx(1 / (1 + np.exp(-1.0)))  # 2 of 3


def test_a_fixed_threshold_is_taken_as_it_is() -> None:
    assert choose_threshold(np.zeros(2), np.array([0, 1], np.float32), "fixed", 0.31) == 0.31
