"""Calibration on held-out rows: slope and intercept (Platt 1999), of several classes a slope and an intercept each.

Between temperature and vector scaling (Guo et al. 2017, section 4.2): one slope, so that attributions of all logits
keep their proportions, and intercepts that take back what weights or resampling of classes did to their shares.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from jobs.data.scikit import fit_logistic
from jobs.net.tasks import BINARY, Task

Floats = NDArray[np.float64]

_MOST_SLOPE = 10.0  # of several classes
_SHIFT = 10.0  # logits: standard deviation of the prior of an intercept, for classes that no row has


@dataclass(frozen=True, slots=True)
class Calibration:
    """f -> slope f + intercept.

    Attributes:
        slope: never negative: a net that points the wrong way on held-out rows has no evidence to give.
        intercept: in logits; of several classes one each.
    """

    slope: float
    intercept: float | tuple[float, ...]

    def apply(self, f: Floats) -> Floats:
        """Return the calibrated logits."""
        return self.slope * f + np.asarray(self.intercept)

    def shifted(self, by: Floats) -> "Calibration":
        """Return the same with (n_outputs,) added to the intercepts."""
        moved = np.atleast_1d(self.intercept) + by
        return Calibration(self.slope, tuple(moved.tolist()) if isinstance(self.intercept, tuple) else float(moved[0]))


def calibrate(f: Floats, y: NDArray[np.float32], task: Task = BINARY) -> Calibration:
    """Fit slope and intercept of logits, or values, `f` to labels `y` (n,) by maximum likelihood."""
    if task.kind == "multiclass":
        return _calibrate_classes(f, y, task)
    if task.kind == "regression":
        spread = float(f.var())
        slope = max(float(((f - f.mean()) * y).mean()) / spread, 0.0) if spread > 0 else 0.0
        return Calibration(slope, float(y.mean()) - slope * float(f.mean()))
    w, intercept = fit_logistic(f[:, None], y, np.inf, max_iter=200)
    if w[0] > 0:
        return Calibration(float(w[0]), intercept)
    share = float(y.mean())
    return Calibration(0.0, float(np.log(share / (1 - share))))


def fit_shift(f: Floats, y: NDArray[np.float32], task: Task = BINARY) -> Floats:
    """Return (n_outputs,) what is to be added to logits, or values, `f` to be right in the mean on labels `y` (n,).

    By maximum likelihood at slope 1, under the prior of an intercept: what changes with time is above all how common a
    label is.
    """
    if task.kind == "regression":
        return np.array([float(np.mean(y - f))])
    return _most_likely(f, y, task, (1.0, 1.0))[1:]


def _calibrate_classes(f: Floats, y: NDArray[np.float32], task: Task) -> Calibration:
    found = _most_likely(f, y, task, (0.0, _MOST_SLOPE))
    return Calibration(float(found[0]), tuple(found[1:].tolist()))


def _most_likely(f: Floats, y: NDArray[np.float32], task: Task, slopes: tuple[float, float]) -> Floats:
    """(1 + n_outputs,) the slope, of those between two, and the intercepts of classes."""
    label = np.eye(task.n_outputs)[y.astype(np.int64)] if task.n_outputs > 1 else y

    def loss(v: Floats) -> tuple[float, Floats]:
        g, shift = v[0] * f + v[1:], v[1:]
        residuals = task.predictions(g) - label
        gradient = np.append((residuals * f).sum(), residuals.sum(axis=0) + shift / _SHIFT**2) / len(f)
        return float(task.losses(g, y).mean() + shift @ shift / (2 * _SHIFT**2 * len(f))), gradient

    bounds = [slopes] + [(None, None)] * task.n_outputs
    start = np.append(1.0, np.zeros(task.n_outputs))
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x, np.float64)
