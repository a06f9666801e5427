"""The label of a regression as it is learned: compressed if it is skewed, then with mean 0 and standard deviation 1.

Fitted on training rows only. Predictions come back to the label's own scale by the exact inverse; that of a compressed
mean is the median of a symmetric error rather than the mean.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.scaling import compress
from jobs.data.split import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Target:
    """How a label became what is learned: (c(y) - mean) / deviation, c(y) = sign(y) log(1 + |y|) if `log1p`."""

    mean: float = 0.0
    deviation: float = 1.0
    log1p: bool = False

    def of_label(self, y: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return (n,) what is learned."""
        values = y.astype(np.float64)
        return (((compress(values) if self.log1p else values) - self.mean) / self.deviation).astype(np.float32)

    def to_label(self, f: Floats) -> Floats:
        """Return (n,) predictions on the scale of the label."""
        values = f * self.deviation + self.mean
        return np.sign(values) * np.expm1(np.minimum(np.abs(values), _LARGEST)) if self.log1p else values


_LARGEST = 88.7  # the logarithm of the largest label there may be


def fit_target(y: NDArray[np.floating], rows: Rows, *, log1p: bool) -> Target:
    """Fit on `rows` of the label y, (n_rows,)."""
    values = y[rows].astype(np.float64)
    learned = compress(values) if log1p else values
    return Target(float(learned.mean()), float(learned.std()) or 1.0, log1p)
