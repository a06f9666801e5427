"""Ridge regression, logistic for classes, on the design matrix: the baseline, and what every net stands on.

Where few of many columns act, a ridge spreads over all. So further rounds may follow, in which the penalty of a code is
the smaller the stronger the round before found it (adaptive ridge: Grandvalet 1998; Frommlet and Nuel 2016); validation
rows say how many.

Fitted by SciPy's L-BFGS on the rows where they lie: scikit-learn wants the training rows copied for every fit. Columns
are preconditioned with the curvature of their loss, so that rare columns, whose gradients are small, converge with the
others (docs/decisions/0006-ridge-in-place.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from jobs.data.kernels import column_moments
from jobs.data.split import Rows
from jobs.net.codes import codes_gradient, codes_of
from jobs.net.kernels import linear_pieces
from jobs.net.tasks import BINARY, Task

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # candidates for C; scikit-learn's scale

ROUNDS = 3  # at most: a ridge, and two that adapt to the one before
_LEAST_SPREAD = 1e-3  # of a weight's prior, in units of the root mean square of all

_PIECES = 8  # of the rows; each has a gradient of its own, so their sum does not depend on the threads
_WORSE = 2  # candidates in a row that do not lower the validation loss end the search
_STEPS, _FLAT = 300, 1e-4  # of L-BFGS: at most so many; enough when the gradient per row is as small as this

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """f(z) = z w + b.

    Attributes:
        w: (n_codes,) float32, or (n_codes, n_outputs) of several outputs.
        b: the intercept, or (n_outputs,).
    """

    w: NDArray[np.float32]
    b: float | NDArray[np.float64]

    def logits(self, Z: csr_array, rows: Rows) -> Floats:
        """Return (len(rows),) or (len(rows), n_outputs): f of those rows of Z."""
        f = codes_of(Z, rows, self.w.reshape(len(self.w), -1)).astype(np.float64)
        return (f if self.w.ndim > 1 else f[:, 0]) + self.b

    def of_output(self, output: int) -> "LinearModel":
        """Return the model of one output alone."""
        if self.w.ndim == 1:
            return self
        return LinearModel(np.ascontiguousarray(self.w[:, output]), float(np.atleast_1d(self.b)[output]))

    def centred(self, share: Floats) -> "LinearModel":
        """Return the model of several outputs that says the same, its outputs weighted by `share` adding up to 0."""
        return LinearModel(np.asarray(self.w - (self.w @ share)[:, None], np.float32), self.b - self.b @ share)


def fit_ridge(
    Z: csr_array,
    y: NDArray[np.float32],
    rows: Rows,
    strength: float,
    class_weights: Sequence[float] = (),
    start: LinearModel | None = None,
    task: Task = BINARY,
    spread: Floats | None = None,
) -> LinearModel:
    """Fit an L2-penalised linear model of the task's label on those rows, in float64.

    Minimises  sum_i weight_i loss(y_i, z_i w + b) + |w / spread|^2 / (2 strength).

    Args:
        Z: (n_rows, n_codes) design matrix.
        y: (n_rows,) labels.
        rows: positions of the rows to fit; no other row of Z or y is touched.
        strength: scikit-learn's C, the inverse of the penalty.
        class_weights: weight of the loss of each class; empty: 1.
        start: where to begin; None: at zero.
        task: what the label is.
        spread: (n_codes,) of the prior of each weight; None: 1.
    """
    fit = _fit_several if task.n_outputs > 1 else _fit_one
    prior = strength * (np.ones(Z.shape[1]) if spread is None else spread**2)
    return fit(Z, y, rows, prior, class_weights, start, task)


def fit_adaptive_ridge(
    Z: csr_array,
    y: NDArray[np.float32],
    rows: Rows,
    strengths: Sequence[float],
    class_weights: Sequence[float] = (),
    task: Task = BINARY,
) -> LinearModel:
    """Fit one ridge for each of the strengths, each with the spread that the one before found; return the last."""
    first, *later = strengths
    model = fit_ridge(Z, y, rows, first, class_weights, task=task)
    for strength in later:
        model = fit_ridge(Z, y, rows, strength, class_weights, model, task, _spread_of(model))
    return model


def _spread_of(model: LinearModel) -> Floats:
    """(n_codes,) the size of each code's weights, over all outputs, in units of the root mean square of all."""
    w = model.w.reshape(len(model.w), -1).astype(np.float64)
    size: Floats = np.sqrt(np.mean(w**2, axis=1))
    return size / max(float(np.sqrt(np.mean(size**2))), 1e-12) + _LEAST_SPREAD


def _fit_one(
    Z: csr_array,
    y: NDArray[np.float32],
    rows: Rows,
    prior: Floats,
    class_weights: Sequence[float],
    start: LinearModel | None,
    task: Task,
) -> LinearModel:
    n_codes, is_gaussian = Z.shape[1], task.kind == "regression"
    positive_weight = class_weights[1] / class_weights[0] if class_weights else 1.0
    scale = _scale(Z, rows, prior, 1.0 if is_gaussian else 0.25)

    def loss(v: Floats) -> tuple[float, Floats]:
        """Return the objective per row at (w, b) = v scale, and its gradient in v."""
        w, b = (v * scale)[:-1], float(v[-1] * scale[-1])
        losses, gradients = np.zeros(_PIECES), np.zeros((_PIECES, n_codes + 1))
        arrays = (Z.indptr, Z.indices, Z.data, rows, y)
        linear_pieces(*arrays, positive_weight, is_gaussian, w, b, losses, gradients)
        gradient = gradients.sum(axis=0)
        gradient[:-1] += w / prior
        return (float(losses.sum()) + float(w @ (w / prior)) / 2) / len(rows), gradient * scale / len(rows)

    begin = np.zeros(n_codes + 1) if start is None else np.append(start.w, start.b) / scale
    solution = _minimised(loss, begin) * scale
    return LinearModel(solution[:-1].astype(np.float32), float(solution[-1]))


def _fit_several(
    Z: csr_array,
    y: NDArray[np.float32],
    rows: Rows,
    prior: Floats,
    class_weights: Sequence[float],
    start: LinearModel | None,
    task: Task,
) -> LinearModel:
    """Fit all outputs at once; products with Z are float32."""
    shape = (Z.shape[1] + 1, task.n_outputs)
    scale, weights, label = _scale(Z, rows, prior, 0.25)[:, None], np.array(class_weights, np.float32), y[rows]

    def loss(v: Floats) -> tuple[float, Floats]:
        """Return the objective per row at (w, b) = v scale, (n_codes + 1, n_outputs), and its gradient in v."""
        wb = v.reshape(shape) * scale
        f = codes_of(Z, rows, wb[:-1].astype(np.float32)) + wb[-1].astype(np.float32)
        losses, slope = task.weighted_losses(f, label, weights)
        gradient = np.empty(shape)
        gradient[:-1] = codes_gradient(Z, rows, slope) + wb[:-1] / prior[:, None]
        gradient[-1] = slope.sum(axis=0, dtype=np.float64)
        value = float(losses.sum(dtype=np.float64)) + float((wb[:-1] ** 2 / prior[:, None]).sum()) / 2
        return value / len(rows), (gradient * scale / len(rows)).ravel()

    begin = np.zeros(shape) if start is None else np.vstack([start.w, start.b]) / scale
    solution = _minimised(loss, begin.ravel()).reshape(shape) * scale
    return LinearModel(solution[:-1].astype(np.float32), solution[-1])


def _scale(Z: csr_array, rows: Rows, prior: Floats, curvature: float) -> Floats:
    """(n_codes + 1,) what each weight is measured in, the intercept last: `curvature` bounds that of a row's loss."""
    _, squares = column_moments(Z.indptr, Z.indices, Z.data, rows, Z.shape[1])
    of_loss = np.append(squares * curvature + 1 / prior, len(rows) * curvature) / len(rows)
    return 1 / np.sqrt(of_loss)


def _minimised(loss: Callable[[Floats], tuple[float, Floats]], begin: Floats) -> Floats:
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "gtol": _FLAT, "ftol": 0.0})
    return np.asarray(found.x, np.float64)


def choose_adaptive_ridge(
    Z: csr_array,
    y: NDArray[np.float32],
    train: Rows,
    valid: Rows,
    class_weights: Sequence[float] = (),
    judged_by: Sequence[float] = (),
    on_model: Callable[[], object] = int,
    task: Task = BINARY,
    strengths: Sequence[float] = STRENGTHS,
    rounds: int = ROUNDS,
) -> tuple[tuple[float, ...], float, LinearModel]:
    """Choose the strength of a ridge by its validation loss, and another round as long as that lowers it.

    Args:
        Z: (n_rows, n_codes).
        y: (n_rows,) labels.
        train: positions of rows to learn from.
        valid: positions of rows that judge.
        class_weights: weight of the loss of each class on training rows; empty: all rows count the same.
        judged_by: the same on validation rows.
        on_model: called after each model, and may raise to abandon.
        task: what the label is.
        strengths: of the candidates. They are tried from the strongest penalty on, each from where the one before it
            ended, until two in a row have not lowered the validation loss.
        rounds: at most; one is a plain ridge.

    Returns:
        The strength of each round; the validation loss, nats a row, of the last; and its model.
    """

    def best(spread: Floats | None = None) -> tuple[float, float, LinearModel]:
        tried: list[tuple[float, float, LinearModel]] = []
        model = None
        for strength in sorted(strengths):
            model = fit_ridge(Z, y, train, strength, class_weights, model, task, spread)
            tried.append((task.mean_loss(model.logits(Z, valid), y[valid], judged_by), strength, model))
            on_model()
            if min(tried[-_WORSE:], key=itemgetter(0))[0] > min(tried, key=itemgetter(0))[0]:
                break
        return min(tried, key=itemgetter(0))

    loss, strength, model = best()
    chosen = (strength,)
    for _ in range(rounds - 1):
        of_round, strength, ridge = best(_spread_of(model))
        if of_round >= loss:
            break
        loss, chosen, model = of_round, (*chosen, strength), ridge
    return chosen, loss, model
