"""Ridge logistic regression on the design matrix: the baseline, and the linear model that every net stands on.

Fitted by SciPy's L-BFGS on the rows where they lie: scikit-learn wants the training rows copied for every fit. Columns
are preconditioned with the curvature of their loss, so that rare columns, whose gradients are small, converge with the
others (docs/decisions/0006-ridge-in-place.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from jobs.data.kernels import column_moments
from jobs.data.split import Rows
from jobs.net.codes import codes_of
from jobs.net.kernels import logistic_pieces
from jobs.net.tasks import binary_loss

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # candidates for C; scikit-learn's scale

_PIECES = 8  # of the rows; each has a gradient of its own, so their sum does not depend on the threads
_WORSE = 2  # candidates in a row that do not lower the validation loss end the search
_STEPS, _FLAT = 300, 1e-4  # of L-BFGS: at most so many; enough when the gradient per row is as small as this

Floats = NDArray[np.float64]


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
    Z: csr_array,
    y: NDArray[np.float32],
    rows: Rows,
    strength: float,
    positive_weight: float = 1.0,
    start: LinearModel | None = None,
) -> LinearModel:
    """Fit L2-penalised logistic regression on those rows, in float64.

    Minimises  sum_i weight_i loss(y_i, z_i w + b) + |w|^2 / (2 strength).

    Args:
        Z: (n_rows, n_codes) design matrix.
        y: (n_rows,) labels, 0 or 1.
        rows: positions of the rows to fit; no other row of Z or y is touched.
        strength: scikit-learn's C, the inverse of the penalty.
        positive_weight: weight of the loss of positive rows; of the others it is 1.
        start: where to begin; None: at zero.
    """
    n_codes = Z.shape[1]
    _, squares = column_moments(Z.indptr, Z.indices, Z.data, rows, n_codes)
    curvature = np.append(squares / 4 + 1 / strength, len(rows) / 4) / len(rows)  # an upper bound of the diagonal
    scale = 1 / np.sqrt(curvature)  # (n_codes + 1,): the last is the intercept's

    def loss(v: Floats) -> tuple[float, Floats]:
        """Return the objective per row at (w, b) = v scale, and its gradient in v."""
        w, b = (v * scale)[:-1], float(v[-1] * scale[-1])
        losses, gradients = np.zeros(_PIECES), np.zeros((_PIECES, n_codes + 1))
        logistic_pieces(Z.indptr, Z.indices, Z.data, rows, y, positive_weight, w, b, losses, gradients)
        gradient = gradients.sum(axis=0)
        gradient[:-1] += w / strength
        return (float(losses.sum()) + float(w @ w) / (2 * strength)) / len(rows), gradient * scale / len(rows)

    begin = np.zeros(n_codes + 1) if start is None else np.append(start.w, start.b) / scale
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "gtol": _FLAT, "ftol": 0.0})
    solution: Floats = np.asarray(found.x, np.float64) * scale
    return LinearModel(solution[:-1].astype(np.float32), float(solution[-1]))


def choose_ridge(
    Z: csr_array,
    y: NDArray[np.float32],
    train: Rows,
    valid: Rows,
    positive_weight: float = 1.0,
    strengths: Sequence[float] = STRENGTHS,
    on_model: Callable[[], object] = int,
) -> tuple[float, LinearModel]:
    """Return the strength with the least validation loss, and the model fitted with it on the training rows.

    Candidates are tried from the strongest penalty on, each from where the one before it ended, until two in a row have
    not lowered the validation loss. `on_model` is called after each, and may raise to abandon.
    """
    tried: list[tuple[float, float, LinearModel]] = []
    model = None
    for strength in sorted(strengths):
        model = fit_ridge(Z, y, train, strength, positive_weight, model)
        tried.append((float(binary_loss(model.logits(Z, valid), y[valid]).mean()), strength, model))
        on_model()
        if min(tried[-_WORSE:], key=_first)[0] > min(tried, key=_first)[0]:
            break
    _, strength, best = min(tried, key=_first)
    return strength, best


def _first(tried: tuple[float, float, LinearModel]) -> float:
    return tried[0]
