"""Metrics equal scikit-learn's; their intervals are as wide as theory says; thresholds are the best there are."""

import numpy as np
import pytest
from sklearn import metrics as theirs

from jobs.net.tasks import BINARY, REGRESSION, Task
from jobs.selection.bootstrap import Estimate
from jobs.selection.metrics import choose_threshold, confusion, evaluate, lead
from tests.jobs.tables import draw_labels


def judged(n: int = 800, ties: bool = False, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    f = np.random.default_rng(seed).normal(-0.5, 1.5, n)
    y = draw_labels(f, seed + 1)
    return (np.round(f) if ties else f), y


def top_precision(f: np.ndarray, y: np.ndarray, share: float) -> float:
    """Return the precision of the first rows, those that are tied at the end in proportion."""
    n, y = share * len(f), y.astype(np.float64)
    last = np.sort(f)[::-1][int(np.ceil(n)) - 1]
    above, tied = f > last, f == last
    return float((y[above].sum() + y[tied].mean() * (n - above.sum())) / n)


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
        "precision_at_1_percent": top_precision(f, y, 0.01),
        "lift_at_1_percent": top_precision(f, y, 0.01) / y.mean(dtype=np.float64),
        "precision_at_10_percent": top_precision(f, y, 0.1),
        "lift_at_10_percent": top_precision(f, y, 0.1) / y.mean(dtype=np.float64),
    }
    found = evaluate(f, y, threshold, 3, BINARY)
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(wanted, rel=1e-9)
    for estimate in found.values():
        assert estimate.low < estimate.value < estimate.high


def test_with_nobody_called_precision_is_zero_as_in_scikit_learn() -> None:
    f, y = judged()
    found = evaluate(f, y, 1.0, 3, BINARY)
    assert (found["precision"].value, found["recall"].value, found["f1"].value) == (0, 0, 0)
    assert found["macro_f1"].value == pytest.approx(theirs.f1_score(y, np.zeros(len(y)), average="macro"))


def test_intervals_are_as_wide_as_those_of_a_mean() -> None:
    f, y = judged(4000)
    accuracy = evaluate(f, y, 0.5, 3, BINARY)["accuracy"]
    spread = np.sqrt(accuracy.value * (1 - accuracy.value) / 4000)
    assert (accuracy.high - accuracy.low) / (2 * 1.96 * spread) == pytest.approx(1, abs=0.2)
    brier = evaluate(f, y, 0.5, 3, BINARY)["brier"]
    spread = ((1 / (1 + np.exp(-f)) - y) ** 2).std() / np.sqrt(4000)
    assert (brier.high - brier.low) / (2 * 1.96 * spread) == pytest.approx(1, abs=0.2)


def test_intervals_depend_on_the_seed_alone() -> None:
    f, y = judged()
    assert evaluate(f, y, 0.5, 3, BINARY) == evaluate(f, y, 0.5, 3, BINARY)
    assert evaluate(f, y, 0.5, 3, BINARY)["auc"] != evaluate(f, y, 0.5, 4, BINARY)["auc"]


def test_the_order_of_the_rows_changes_no_value() -> None:
    f, y = judged(ties=True)
    order = np.random.default_rng(5).permutation(len(f))
    one, two = evaluate(f, y, 0.5, 3, BINARY), evaluate(f[order], y[order], 0.5, 3, BINARY)
    for name, estimate in one.items():
        assert two[name].value == pytest.approx(estimate.value, rel=1e-12)


def test_hand_computed_values() -> None:
    f = np.log(np.array([0.9, 0.8, 0.3, 0.2]) / np.array([0.1, 0.2, 0.7, 0.8]))
    found = evaluate(f, np.array([1, 0, 1, 0], np.float32), 0.5, 1, BINARY)
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


def test_metrics_of_several_classes_equal_scikit_learn() -> None:
    random, task = np.random.default_rng(5), Task("multiclass", 5)
    f = random.normal(size=(600, 5))
    y = (f + random.gumbel(size=f.shape)).argmax(axis=1)
    y[y == 4] = 0  # a class that is never true
    called = f.argmax(axis=1)
    p = task.predictions(f)
    wanted = {
        "accuracy": theirs.accuracy_score(y, called),
        "top_3_accuracy": theirs.top_k_accuracy_score(y, p, k=3, labels=range(5)),
        "macro_f1": theirs.f1_score(y, called, average="macro"),
        "macro_precision": theirs.precision_score(y, called, average="macro", zero_division=0),
        "macro_recall": theirs.recall_score(y, called, average="macro", zero_division=0),
        "log_loss": theirs.log_loss(y, p, labels=range(5)),
    }
    found = evaluate(f, y.astype(np.float32), 0.5, 3, task)
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(wanted, rel=1e-9)
    assert all(estimate.low < estimate.value < estimate.high for estimate in found.values())
    np.testing.assert_array_equal(
        confusion(called, y.astype(np.float32), 5), theirs.confusion_matrix(y, called, labels=range(5))
    )


def test_metrics_of_numbers_equal_scikit_learn() -> None:
    random = np.random.default_rng(6)
    f = random.normal(size=500)
    y = (f + random.normal(size=500)).astype(np.float32)
    wanted = {
        "rmse": theirs.root_mean_squared_error(y, f),
        "mse": theirs.mean_squared_error(y, f),
        "mae": theirs.mean_absolute_error(y, f),
        "r2": theirs.r2_score(y, f),
    }
    found = evaluate(f, y, 0.5, 3, REGRESSION)
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("task", [BINARY, REGRESSION])
def test_a_lead_is_paired_and_zero_over_itself(task: Task) -> None:
    f, y = judged()
    assert lead(f, f, y, 3, task) == Estimate(0.0, 0.0, 0.0)
    worse = f + np.random.default_rng(7).normal(size=len(f))
    ahead = lead(f, worse, y, 3, task)
    name = {"binary": "auc", "regression": "r2"}[task.kind]
    one, two = (evaluate(each, y, 0.5, 3, task)[name] for each in (f, worse))
    assert ahead.value == pytest.approx(one.value - two.value)
    assert ahead.high - ahead.low < (one.high - one.low) + (two.high - two.low)


@pytest.mark.parametrize("task", [REGRESSION, Task("multiclass", 3)])
def test_a_few_rows_have_intervals_too(task: Task) -> None:
    """One in twenty replicates of three rows draws none of them."""
    y = np.array([0, 1, 2], np.float32)
    found = evaluate(np.eye(3) if task.n_outputs > 1 else y + 0.5, y, 0.5, 1, task)
    assert all(np.isfinite([each.value, each.low, each.high]).all() for name, each in found.items() if name != "r2")
