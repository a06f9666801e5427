"""What a net says of rows that it never saw: the nuisance of every test on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.split import Rows
from jobs.net.tasks import BERNOULLI, Family

Floats = NDArray[np.float64]

_MARGIN = 5.0  # logits beyond the mean and 0; further out, as behind a copy of the label, no row would weigh anything
_LEAST_LEFT = 1e-6  # of a column's length, that those before it must leave


@dataclass(frozen=True, slots=True)
class Saying:
    """What a calibrated net, and its linear model alone, say of one output on rows that it never saw.

    Attributes:
        slope: of the calibration: attributions are scaled by it.
        f: (n,) calibrated logits, of a class those against all others; or values.
        linear: (n,) the same of the linear model.
        family: how the label is distributed around f.
    """

    slope: float
    f: Floats
    linear: Floats
    family: Family = BERNOULLI


def logit_bounds(y: NDArray[np.float32], family: Family) -> tuple[float, float]:
    """Between what the tests believe of logits, as the labels `y` (n,) of their rows are; values have no bounds."""
    if family.is_gaussian:
        return -np.inf, np.inf
    base = float(np.log((y.sum() + 0.5) / ((1 - y).sum() + 0.5)))
    return min(base, 0.0) - _MARGIN, max(base, 0.0) + _MARGIN


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What the tests of columns need to know of held-out rows.

    Attributes:
        rows: (n,) their positions.
        f, linear, family: see Saying.
        effect: (n_codes,) of each code of the design that is tested: the slope along it of what f holds (effects.py).
    """

    rows: Rows
    f: Floats
    linear: Floats
    effect: Floats
    family: Family = BERNOULLI


def orthonormal(X: Floats, h: Floats) -> Floats:
    """(n, k) what each column of X says beyond 1 and those before it, sums weighted by h; 0 where it says nothing."""
    root = np.sqrt(h)[:, None]
    base = root * np.column_stack([np.ones(len(X)), X])
    Q, R = np.linalg.qr(base)
    says = np.abs(np.diag(R)) > _LEAST_LEFT * np.linalg.norm(base, axis=0)
    return np.divide(Q * says, root, out=np.zeros_like(Q), where=root > 0)[:, 1:]


def pooled(folds: Sequence[HeldOut], y: NDArray[np.float32]) -> tuple[Rows, Floats, Family]:
    """Return the rows of all folds, (n,) what is said of each, and how the labels `y` are distributed around that."""
    rows, f = (np.concatenate([getattr(fold, name) for fold in folds]) for name in ("rows", "f"))
    return rows, f, folds[0].family.fitted(f, y[rows])
