"""How good every model is on validation and test rows, each at the threshold that the problem's policy gives it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config import Problem
from jobs.data.dataset import Categories, Dataset
from jobs.data.split import Rows, Split
from jobs.data.target import Target
from jobs.net.tasks import Task, sigmoid
from jobs.selection.bootstrap import Estimate
from jobs.selection.metrics import choose_threshold, confusion, evaluate, lead

Floats = NDArray[np.float64]
Logits = dict[str, dict[str, Floats]]  # side -> model -> (n_rows of the side,) or (.., n_outputs)
Metrics = dict[str, dict[str, dict[str, Estimate]]]  # side -> model -> metric
NET, LINEAR = "net", {"regression": "linear_regression"}
LEVEL = 0.005  # of AUC, accuracy or R^2: models that are closer are level
_LEAST_ROWS = 20  # with a value, for metrics of their own
_NO_THRESHOLD = 0.5  # where there are no two classes it decides nothing


@dataclass(frozen=True, slots=True)
class Judgement:
    """How good the models are.

    Attributes:
        threshold: from which probability the nets call a row positive; None where there are no two classes.
        metrics: side -> model -> metric.
        lead: of the nets over the linear model of all training rows, on test rows, by the first metric of the task.
        own_lead: the same over the linear models that the nets stand on, which learned from the same rows as they.
        by: column -> value -> metric, of the nets on the test rows that have this value; of values on rows enough.
        confusion: (n_classes, n_classes) test rows of each class, by line, that the nets call what, by column; None for
            numbers.
    """

    threshold: float | None
    metrics: Metrics
    lead: Estimate
    own_lead: Estimate
    by: dict[str, dict[str, dict[str, Estimate]]]
    confusion: NDArray[np.int64] | None

    @property
    def is_behind(self) -> bool:
        """Whether the nets are worse than the linear model: by more than chance, and by enough to matter."""
        return _is_behind(self.lead)

    @property
    def is_spoilt(self) -> bool:
        """Whether that is their own doing: they are worse than what they stand on, too, and not just of fewer rows."""
        return self.is_behind and _is_behind(self.own_lead)


def _is_behind(lead: Estimate) -> bool:
    return lead.high < 0 and lead.value < -LEVEL


def linear_name(task: Task) -> str:
    """Return what the linear model is called in the metrics."""
    return LINEAR.get(task.kind, "logistic_regression")


def judge(
    logits: Logits, own: Floats, data: Dataset, split: Split, target: Target, problem: Problem, task: Task
) -> Judgement:
    """Judge every model on both sides, each at its own threshold, numbers on the label's own scale.

    own: (n_test,) or (n_test, n_outputs) what the linear models that the nets stand on say of the test rows.
    """
    policy, seed = problem.threshold, problem.split.seed
    y: dict[str, NDArray[Any]] = {"valid": data.label[split.valid], "test": data.label[split.test]}
    if task.kind == "regression":
        logits = {side: {model: target.to_label(f) for model, f in models.items()} for side, models in logits.items()}
        own = target.to_label(own)
    thresholds = dict.fromkeys(logits["valid"], _NO_THRESHOLD)
    if task.kind == "binary":
        thresholds = {
            model: choose_threshold(f, y["valid"], policy.policy, policy.value) for model, f in logits["valid"].items()
        }
    metrics = {
        side: {model: evaluate(f, y[side], thresholds[model], seed, task) for model, f in models.items()}
        for side, models in logits.items()
    }
    of_net = logits["test"][NET]
    ahead, own_ahead = (
        lead(of_net, other, y["test"], seed, task) for other in (logits["test"][linear_name(task)], own)
    )
    table = None
    if task.kind != "regression":
        called = of_net.argmax(axis=1) if task.n_outputs > 1 else (sigmoid(of_net) >= thresholds[NET]).astype(np.int64)
        table = confusion(called, y["test"], task.n_classes)
    threshold = thresholds[NET] if task.kind == "binary" else None
    by = {
        column.name: _by_value(column, split.test, of_net, y["test"], thresholds[NET], seed, task)
        for column in data.report_by
    }
    return Judgement(threshold, metrics, ahead, own_ahead, by, table)


def _by_value(
    column: Categories, rows: Rows, f: Floats, y: NDArray[Any], threshold: float, seed: int, task: Task
) -> dict[str, dict[str, Estimate]]:
    """The metrics of the rows with each value of a column, where these are enough and not all alike."""
    found: dict[str, dict[str, Estimate]] = {}
    for code, level in enumerate(column.levels):
        own = np.flatnonzero(column.codes[rows] == code)
        if len(own) >= _LEAST_ROWS and len(np.unique(y[own])) > 1:
            found[level] = evaluate(f[own], y[own], threshold, seed, task)
    return found
