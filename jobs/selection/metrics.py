"""How good predictions are, with 95 % intervals: metrics of two classes, of several, of numbers.

scikit-learn's own functions, the reference of the tests, would sort 200 times for an interval. Values equal theirs.
"""

import numpy as np
from numpy.typing import NDArray

from jobs.net.tasks import Task, binary_loss, sigmoid
from jobs.selection.bootstrap import Estimate, estimates

Floats = NDArray[np.float64]

_TOP_SHARES = {"1": 0.01, "10": 0.1}  # of the rows, those that are called first
_TOP_CLASSES = 3


def evaluate(f: Floats, y: NDArray[np.float32], threshold: float, seed: int, task: Task) -> dict[str, Estimate]:
    """Return every metric of the task: of logits, or values, `f` against labels `y` (n,).

    Args:
        f: (n,), or (n, n_classes) of several classes; numbers on the scale of the label.
        y: 0 or 1, the number of a class, or a number.
        threshold: of two classes, the probability from which a row counts as positive.
        seed: of the bootstrap.
        task: what the label is.
    """
    return estimates(_judged(f, y, threshold, task).metrics, len(y), seed)


def lead(f: Floats, other: Floats, y: NDArray[np.float32], seed: int, task: Task) -> Estimate:
    """Return how far `f` is ahead of `other` by the task's first metric, on the same replicates of the rows."""
    one, two = (_judged(logits, y, 0.5, task) for logits in (f, other))
    name = FIRST_METRIC[task.kind]

    def ahead(weight: Floats) -> dict[str, float]:
        return {name: one.metrics(weight)[name] - two.metrics(weight)[name]}

    return estimates(ahead, len(y), seed)[name]


FIRST_METRIC = {"binary": "auc", "multiclass": "accuracy", "regression": "r2"}  # what models are compared by


def _judged(f: Floats, y: NDArray[np.float32], threshold: float, task: Task) -> "_Judged | _Classified | _Valued":
    if task.kind == "binary":
        return _Judged(f, y, threshold)
    return _Classified(f, y, task) if task.kind == "multiclass" else _Valued(f, y)


class _Judged:
    """Rows sorted by falling score, ready to be weighted."""

    def __init__(self, f: Floats, y: NDArray[np.float32], threshold: float) -> None:
        order = np.argsort(-f, kind="stable")
        self._order, self._y = order, y[order].astype(np.float64)
        self._last = np.flatnonzero(np.append(np.diff(f[order]) != 0, True))  # last row of each tie
        p = sigmoid(f[order])
        self._called = p >= threshold
        self._loss, self._brier = binary_loss(f[order], y[order]), (p - self._y) ** 2

    def metrics(self, weight: Floats) -> dict[str, float]:
        """All metrics with these row weights, (n,) in the order of the rows."""
        w = weight[self._order]
        total, positives = float(w.sum()), float(w @ self._y)
        if positives in (0, total):
            return dict.fromkeys(_NAMES, float("nan"))
        hit, called = float(w @ (self._y * self._called)), float(w @ self._called)
        correct = hit + (total - positives) - (called - hit)
        values = (
            *self._areas(w, positives, total - positives),
            hit / called if called else 0.0,
            hit / positives,
            _f1(hit, called, positives),
            correct / total,
            (_f1(hit, called, positives) + _f1(correct - hit, total - called, total - positives)) / 2,
            w @ self._loss / total,
            w @ self._brier / total,
            *self._at_the_top(w, total, positives),
        )
        return {name: float(value) for name, value in zip(_NAMES, values, strict=True)}

    def _at_the_top(self, w: Floats, total: float, positives: float) -> list[float]:
        """Precision, and lift over calling rows blindly, among the rows with the highest scores; ties count in part."""
        called, hit = (np.append(0.0, np.cumsum(sums)[self._last]) for sums in (w, w * self._y))
        found: list[float] = []
        for share in _TOP_SHARES.values():
            precision = float(np.interp(share * total, called, hit)) / (share * total)
            found += [precision, precision * total / positives]
        return found

    def _areas(self, w: Floats, positives: float, negatives: float) -> tuple[float, float]:
        """Area under the ROC curve, and average precision."""
        true = np.cumsum(w * self._y)[self._last]
        false = np.cumsum(w * (1 - self._y))[self._last]
        steps = np.diff(false, prepend=0.0)
        auc = steps @ (true - np.diff(true, prepend=0.0) / 2) / (positives * negatives)
        precision = np.divide(true, true + false, out=np.ones_like(true), where=true + false > 0)
        return float(auc), float(np.diff(true, prepend=0.0) @ precision / positives)


_OF_TWO_CLASSES = ("auc", "average_precision", "precision", "recall", "f1", "accuracy", "macro_f1", "log_loss", "brier")
_NAMES = (*_OF_TWO_CLASSES, *(f"{what}_at_{share}_percent" for share in _TOP_SHARES for what in ("precision", "lift")))


class _Classified:
    """Rows with one class each, ready to be weighted."""

    def __init__(self, f: Floats, y: NDArray[np.float32], task: Task) -> None:
        self._label, self._n = y.astype(np.int64), task.n_classes
        self._called, self._loss = f.argmax(axis=1), task.losses(f, y)
        self._place = self._label * self._n + self._called
        own = f[np.arange(len(f)), self._label]
        self._near = (f > own[:, None]).sum(axis=1) < _TOP_CLASSES

    def metrics(self, w: Floats) -> dict[str, float]:
        """All metrics with these row weights; means over classes count those that have rows."""
        counted = np.bincount(self._place, w, minlength=self._n**2)
        table = counted.astype(np.float64).reshape(self._n, self._n)  # label, called
        total, hit, actual, called = table.sum(), np.diag(table), table.sum(axis=1), table.sum(axis=0)
        there = (actual > 0) | (called > 0)
        precision, recall = _share(hit, called)[there], _share(hit, actual)[there]
        return {
            "accuracy": float(hit.sum() / total),
            f"top_{_TOP_CLASSES}_accuracy": float(w @ self._near / total),
            "macro_f1": float(_share(2 * hit, actual + called)[there].mean()),
            "macro_precision": float(precision.mean()),
            "macro_recall": float(recall.mean()),
            "log_loss": float(w @ self._loss / total),
        }


class _Valued:
    """Rows with a number each, ready to be weighted."""

    def __init__(self, f: Floats, y: NDArray[np.float32]) -> None:
        self._y = y.astype(np.float64)
        self._error = f - self._y

    def metrics(self, w: Floats) -> dict[str, float]:
        """All metrics with these row weights."""
        total, squares = w.sum(), float(w @ self._error**2)
        spread = float(w @ (self._y - w @ self._y / total) ** 2)
        return {
            "rmse": float(np.sqrt(squares / total)),
            "mse": squares / float(total),
            "mae": float(w @ np.abs(self._error) / total),
            "r2": 1 - squares / spread if spread > 0 else float("nan"),
        }


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _f1(hit: float, called: float, actual: float) -> float:
    return 2 * hit / (called + actual) if called + actual else 0.0


def confusion(called: NDArray[np.int64], y: NDArray[np.float32], n_classes: int) -> NDArray[np.int64]:
    """Return (n_classes, n_classes) how many rows of each class, by line, are called what, by column."""
    return np.bincount(y.astype(np.int64) * n_classes + called, minlength=n_classes**2).reshape(n_classes, n_classes)


def choose_threshold(f: Floats, y: NDArray[np.float32], policy: str, value: float | None) -> float:
    """The probability from which a row counts as positive, chosen on validation rows.

    Args:
        f: logits of validation rows.
        y: their labels.
        policy: "fixed": `value` itself; "precision_at": the least threshold with at least that precision (the most
            precise one where none reaches it); "max_macro_f1", or "max_macro_f1_accuracy": the most of their mean.
        value: of the policy.
    """
    if policy == "fixed" and value is not None:
        return value
    order = np.argsort(-f, kind="stable")
    p, labels = sigmoid(f[order]), y[order].astype(np.float64)
    hit, called = np.cumsum(labels), np.arange(1, len(labels) + 1)
    last = np.append(np.diff(p) != 0, True)
    if policy == "precision_at" and value is not None:
        precision = np.where(last, hit / called, -1)
        reached = np.flatnonzero(precision >= value)
        return float(p[reached[-1] if len(reached) else int(np.argmax(precision))])
    positives, n = hit[-1], len(labels)
    negatives_hit = (n - positives) - (called - hit)
    macro = hit / (called + positives) + negatives_hit / np.maximum(2 * n - called - positives, 1)
    worth = macro + (hit + negatives_hit) / n if policy == "max_macro_f1_accuracy" else macro
    return float(p[int(np.argmax(np.where(last, worth, -1)))])
