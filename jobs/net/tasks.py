"""The binary task: its link and its loss. A label y is 0 or 1, f is a logit, losses are in nats per row."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sigmoid(f: Floats) -> Floats:
    """Probability of the positive class, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * f))


def binary_loss(f: Floats, y: NDArray[np.float32]) -> Floats:
    """Cross-entropy log(1 + exp(f)) - y f of each row."""
    return np.logaddexp(0, f) - y * f


def weighted_loss(
    f: NDArray[np.float32], y: NDArray[np.float32], positive_weight: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (n,) losses and their derivatives in f, those of positive rows `positive_weight` times."""
    weight = np.where(y > 0, np.float32(positive_weight), np.float32(1))
    return weight * (np.logaddexp(0, f) - y * f), weight * (np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * f)) - y)
