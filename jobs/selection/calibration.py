"""Calibration of held-out logits: slope and intercept (Platt 1999)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.scikit import fit_logistic

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """f -> slope f + intercept.

    Attributes:
        slope: never negative: a net that points the wrong way on held-out rows has no evidence to give.
        intercept: in logits.
    """

    slope: float
    intercept: float

    def apply(self, f: Floats) -> Floats:
        """Return the calibrated logits."""
        return self.slope * f + self.intercept


def calibrate(f: Floats, y: NDArray[np.float32]) -> Calibration:
    """Fit slope and intercept of logits `f` (n,) to labels `y` (n,) by maximum likelihood."""
    w, intercept = fit_logistic(f[:, None], y, np.inf, max_iter=200)
    if w[0] > 0:
        return Calibration(float(w[0]), intercept)
    share = float(y.mean())
    return Calibration(0.0, float(np.log(share / (1 - share))))
