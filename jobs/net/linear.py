"""Ridge logistic regression on the design matrix: the baseline, and the linear model that every net stands on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.scikit import fit_logistic
from jobs.data.split import Rows
from jobs.net.codes import codes_of
from jobs.net.tasks import binary_loss

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # candidates for C; scikit-learn's scale


@dataclass(frozen=True, slots=True)
class LinearModel:
    """logit(z) = z w + b.

    Attributes:
        w: (n_codes,) float32.
        b: the intercept.
    """

    w: NDArray[np.float32]
    b: float

    def logits(self, Z: csr_array, rows: Rows) -> NDArray[np.float64]:
        """Return (len(rows),) logits of those rows of Z."""
        return codes_of(Z, rows, self.w[:, None])[:, 0].astype(np.float64) + self.b


def fit_ridge(
    Z: csr_array, y: NDArray[np.float32], rows: Rows, strength: float, positive_weight: float = 1.0
) -> LinearModel:
    """Fit L2-penalised logistic regression on those rows; `strength` is scikit-learn's C, the inverse penalty."""
    w, b = fit_logistic(Z[rows], y[rows], strength, max_iter=300, class_weight={0: 1.0, 1: positive_weight})
    return LinearModel(w.astype(np.float32), b)


def choose_ridge(
    Z: csr_array,
    y: NDArray[np.float32],
    train: Rows,
    valid: Rows,
    positive_weight: float = 1.0,
    strengths: Sequence[float] = STRENGTHS,
) -> tuple[float, LinearModel]:
    """Return the strength with the least validation loss, and the model fitted with it on the training rows."""
    models = {strength: fit_ridge(Z, y, train, strength, positive_weight) for strength in strengths}
    losses = {
        strength: float(binary_loss(model.logits(Z, valid), y[valid]).mean()) for strength, model in models.items()
    }
    best = min(losses, key=losses.__getitem__)
    return best, models[best]
