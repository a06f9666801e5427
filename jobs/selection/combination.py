"""Several p-values of one hypothesis as one, whatever their dependence: the Cauchy combination (Liu and Xie 2020)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LEAST, _MOST = 1e-300, 0.99  # a p-value of 1 would cancel the evidence of all others


def combine(p: Floats, owner: NDArray[np.int64], n_owners: int, weight: Floats | float = 1.0) -> Floats:
    """(n_owners,) one p-value for each owner of some of the p-values `p`; 1 for an owner of none of any weight.

    The tail of a mean of Cauchy variables does not depend on how they depend on each other. 1 / (p pi) stands for the
    Cauchy quantile of a tiny p, which has no float64 of its own. `weight` (as long as p, or one for all) says how
    much of its owner's chance of a false alarm each p-value may use.
    """
    p = np.clip(p, _LEAST, _MOST)
    quantile = np.where(p < 1e-9, 1 / (np.pi * p), np.tan((0.5 - p) * np.pi))
    weights = np.broadcast_to(weight, p.shape)
    total = np.bincount(owner, weights, minlength=n_owners)
    mean = np.bincount(owner, quantile * weights, minlength=n_owners) / np.where(total > 0, total, 1)
    combined = np.where(mean > 1e8, 1 / (np.pi * np.maximum(mean, 1)), 0.5 - np.arctan(mean) / np.pi)
    return np.where(total > 0, combined, 1.0)
