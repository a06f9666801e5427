"""How good predicted logits are, with 95 % intervals from a Poisson bootstrap over rows (Hanley and MacGibbon 2006).

Every metric is a function of row weights, so a replicate costs one pass over sorted rows and no sorting: scikit-learn's
own functions, the reference of the tests, would sort 200 times. Values equal scikit-learn's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.net.tasks import binary_loss, sigmoid

Floats = NDArray[np.float64]

_REPLICATES = 200
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric and its 95 % interval."""

    value: float
    low: float
    high: float


def evaluate(f: Floats, y: NDArray[np.float32], threshold: float, seed: int) -> dict[str, Estimate]:
    """Return every binary metric of logits `f` (n,) against labels `y` (n,).

    Args:
        f: logits.
        y: 0 or 1.
        threshold: the probability from which a row counts as positive.
        seed: of the bootstrap.
    """
    judged = _Judged(f, y, threshold)
    values = judged.metrics(np.ones(len(y)))
    random = np.random.default_rng(seed)
    draws = [judged.metrics(random.poisson(1.0, len(y)).astype(np.float64)) for _ in range(_REPLICATES)]
    return {name: _estimate(value, [draw[name] for draw in draws]) for name, value in values.items()}


def auc_lead(f: Floats, other: Floats, y: NDArray[np.float32], seed: int) -> Estimate:
    """Area under the ROC curve of logits `f` (n,) minus that of `other` (n,), on the same replicates of the rows."""
    models = [_Judged(logits, y, 0.5) for logits in (f, other)]

    def lead(weight: Floats) -> float:
        return models[0].metrics(weight)["auc"] - models[1].metrics(weight)["auc"]

    random = np.random.default_rng(seed)
    draws = [lead(random.poisson(1.0, len(y)).astype(np.float64)) for _ in range(_REPLICATES)]
    return _estimate(lead(np.ones(len(y))), draws)


def _estimate(value: float, draws: list[float]) -> Estimate:
    low, high = np.nanpercentile(draws, _INTERVAL)
    return Estimate(value, float(low), float(high))


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
        )
        return {name: float(value) for name, value in zip(_NAMES, values, strict=True)}

    def _areas(self, w: Floats, positives: float, negatives: float) -> tuple[float, float]:
        """Area under the ROC curve, and average precision."""
        true = np.cumsum(w * self._y)[self._last]
        false = np.cumsum(w * (1 - self._y))[self._last]
        steps = np.diff(false, prepend=0.0)
        auc = steps @ (true - np.diff(true, prepend=0.0) / 2) / (positives * negatives)
        precision = np.divide(true, true + false, out=np.ones_like(true), where=true + false > 0)
        return float(auc), float(np.diff(true, prepend=0.0) @ precision / positives)


_NAMES = ("auc", "average_precision", "precision", "recall", "f1", "accuracy", "macro_f1", "log_loss", "brier")


def _f1(hit: float, called: float, actual: float) -> float:
    return 2 * hit / (called + actual) if called + actual else 0.0


def choose_threshold(f: Floats, y: NDArray[np.float32], policy: str, value: float | None) -> float:
    """The probability from which a row counts as positive, chosen on validation rows.

    Args:
        f: logits of validation rows.
        y: their labels.
        policy: "fixed": `value` itself; "precision_at": the least threshold with at least that precision (the most
            precise one where none reaches it); "max_macro_f1".
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
    return float(p[int(np.argmax(np.where(last, macro, -1)))])
