"""The step of a vector of weights: AdamW, Adam, SGD.

torch has them too, but making one of its optimizers loads torch's compiler: 120 MB and more than a second of every run.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from jobs.net.kernels import adam_step

Vector = NDArray[np.float32]

_DECAY1, _DECAY2 = 0.9, 0.999


class Optimizer(Protocol):
    """Moves weights against a gradient."""

    def step(self, gradient: Vector) -> None:
        """Move the weights, in place."""
        ...


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1).

    Args:
        weights: (n,) stepped in place.
        learning_rate: of the normalised momentum.
        weight_decay: how much of a weight is taken away, in units of the learning rate.
        decoupled: take it from the weight (AdamW, Loshchilov and Hutter 2019) rather than add it to the gradient.
    """

    def __init__(self, weights: Vector, learning_rate: float, weight_decay: float, *, decoupled: bool) -> None:
        self._weights = weights
        self._first, self._second = np.zeros_like(weights), np.zeros_like(weights)
        self._rate = learning_rate
        self._coupled, self._decoupled = (0.0, weight_decay) if decoupled else (weight_decay, 0.0)
        self._steps = 0

    def step(self, gradient: Vector) -> None:
        """Move the weights, in place."""
        self._steps += 1
        adam_step(
            self._weights,
            gradient,
            self._first,
            self._second,
            np.float32(_DECAY1),
            np.float32(_DECAY2),
            np.float32(self._rate / (1 - _DECAY1**self._steps)),
            np.float32(1 / (1 - _DECAY2**self._steps)),
            np.float32(self._coupled),
            np.float32(1 - self._rate * self._decoupled),
        )


class Descent:
    """Stochastic gradient descent.

    Args:
        weights: (n,) stepped in place.
        learning_rate: of the gradient.
        weight_decay: what part of a weight is added to its gradient.
    """

    def __init__(self, weights: Vector, learning_rate: float, weight_decay: float) -> None:
        self._weights, self._rate, self._decay = weights, np.float32(learning_rate), np.float32(weight_decay)

    def step(self, gradient: Vector) -> None:
        """Move the weights, in place."""
        self._weights -= self._rate * (gradient + self._decay * self._weights)


def optimizer_of(name: str, weights: Vector, learning_rate: float, weight_decay: float) -> Optimizer:
    """Return the optimizer of that name: "adamw", "adam" or "sgd"."""
    if name == "sgd":
        return Descent(weights, learning_rate, weight_decay)
    return Adam(weights, learning_rate, weight_decay, decoupled=name == "adamw")
