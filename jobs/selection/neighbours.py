"""What is left of a label, compared with what is left on rows of which the model says about the same.

Whatever the true mean, variance and shape of a label are as a function of what a model says of it - a count whose
variance grows, an amount that is mostly zero, a bend that the model has missed - among neighbours of that kind they are
alike. Taken in units of its neighbours what is left has mean 0 and variance 1 all along, so columns that only go with
what the model says do not go with it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from jobs.data.scikit import fit_logistic
from jobs.selection.score_kernels import ranks_among_neighbours

Floats = NDArray[np.float64]

_SHARE, _FEWEST, _MOST = 1 / 25, 50, 400  # of the rows, that are neighbours
_KNOTS = (0.05, 0.2, 0.5, 0.8, 0.95)  # quantiles of what is said
_ROWS = 20_000  # that a bend is learned from; evenly spaced ones are enough
_STRENGTH = 10.0  # C of the ridge on what bends between them


def normal_scores(said: Floats, left: NDArray[np.floating]) -> Floats:
    """(n,) the normal scores (van der Waerden 1952) of what is left, among neighbours in order of what is said.

    Less a line through those of the neighbours, which at both ends lie on one side. So a few outliers decide nothing
    either, and a sum over the few rows of a sparse column is close to normal whatever the tails of the label.
    """
    order, first, width = windows(said)
    scores: Floats = np.asarray(ndtri(ranks_among_neighbours(left[order], first, width)), np.float64)
    place = np.arange(len(said), dtype=np.float64)
    sums, squares, products = (np.append(0.0, np.cumsum(each)) for each in (scores, scores**2, place * scores))
    mean = (sums[first + width] - sums[first]) / width
    middle = first + (width - 1) / 2
    slope = ((products[first + width] - products[first]) / width - middle * mean) / max((width**2 - 1) / 12, 1e-12)
    variance = (squares[first + width] - squares[first]) / width - mean**2
    out = np.empty(len(said))
    out[order] = (scores - mean - slope * (place - middle)) / np.sqrt(np.maximum(variance, 1e-12))
    return out


def windows(said: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """(n,) rows in order of what is said; (n,) where in that order the neighbours of each begin; how many they are.

    Rows of which the same is said come in random order: that of a drop may be that of its label.
    """
    n = len(said)
    order = np.lexsort((np.random.default_rng(0).permutation(n), said))
    width = min(n, int(np.clip(n * _SHARE, _FEWEST, _MOST)))
    return order, np.clip(np.arange(n) - width // 2, 0, n - width), width


def recalibrated(said: Floats, y: NDArray[np.float32]) -> Floats:
    """(n,) logits whose probabilities are right all along what is said, (n,) logits of labels `y` of 0 and 1.

    Piecewise linear between quantiles; a shift and a slope (calibration.py) leave a bend where the model has missed it.
    """
    some = slice(None, None, max(1, len(y) // _ROWS))
    knots, spread = np.unique(np.quantile(said, (0, *_KNOTS, 1))), float(said.std())
    if spread == 0 or len(knots) < 3 or y[some].min() == y[some].max():
        return said
    X: Floats = np.empty((len(said), len(knots) - 1))
    X[:, 0] = (said - said.mean()) / spread
    for k, hat in enumerate(np.eye(len(knots))[1:-1], 1):
        X[:, k] = np.interp(said, knots, hat)
    w, intercept = fit_logistic(X[some], y[some], _STRENGTH, max_iter=300)
    return np.asarray(X @ w + intercept, np.float64)
