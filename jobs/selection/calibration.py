"""Calibration on held-out rows: slope and intercept (Platt 1999), of several classes a slope (Guo et al. 2017)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from jobs.data.scikit import fit_logistic
from jobs.net.tasks import BINARY, Task

Floats = NDArray[np.float64]

_LOG_SLOPES = (-5.0, 2.0)  # of several classes


@dataclass(frozen=True, slots=True)
class Calibration:
    """f -> slope f + intercept.

    Attributes:
        slope: never negative: a net that points the wrong way on held-out rows has no evidence to give.
        intercept: in logits; 0 of several classes.
    """

    slope: float
    intercept: float

    def apply(self, f: Floats) -> Floats:
        """Return the calibrated logits."""
        return self.slope * f + self.intercept


def calibrate(f: Floats, y: NDArray[np.float32], task: Task = BINARY) -> Calibration:
    """Fit slope and intercept of logits, or values, `f` to labels `y` (n,) by maximum likelihood."""
    if task.kind == "multiclass":
        found = minimize_scalar(
            lambda log: task.losses(np.exp(log) * f, y).mean(), bounds=_LOG_SLOPES, method="bounded"
        )
        return Calibration(float(np.exp(found.x)), 0.0)
    if task.kind == "regression":
        spread = float(f.var())
        slope = max(float(((f - f.mean()) * y).mean()) / spread, 0.0) if spread > 0 else 0.0
        return Calibration(slope, float(y.mean()) - slope * float(f.mean()))
    w, intercept = fit_logistic(f[:, None], y, np.inf, max_iter=200)
    if w[0] > 0:
        return Calibration(float(w[0]), intercept)
    share = float(y.mean())
    return Calibration(0.0, float(np.log(share / (1 - share))))
