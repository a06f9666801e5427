"""What a label is: its loss, its link, and the distribution that the tests of the selection assume.

    binary       y is 0 or 1          one logit              cross-entropy
    multiclass   y is a class 0..K-1  K logits               cross-entropy of the softmax
    regression   y is standardised    one predicted value    half the squared error

Losses are in nats per row (of a regression: of a Gaussian with variance 1). What has one output is (n,), what has
several (n, n_outputs), as in scikit-learn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

Floats = NDArray[np.float64]
Single = NDArray[np.float32]
TaskKind = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be predicted.

    Attributes:
        kind: of the label.
        n_classes: of a multiclass label.
    """

    kind: TaskKind = "binary"
    n_classes: int = 2

    @property
    def n_outputs(self) -> int:
        """Logits, or values, for each row."""
        return self.n_classes if self.kind == "multiclass" else 1

    def losses(self, f: Floats, y: NDArray[np.float32]) -> Floats:
        """Return (n,) losses, nats."""
        if self.kind == "binary":
            return binary_loss(f, y)
        if self.kind == "regression":
            return (f - y) ** 2 / 2
        return logsumexp(f, axis=1) - f[np.arange(len(f)), y.astype(np.int64)]

    def mean_loss(self, f: Floats, y: NDArray[np.float32], class_weights: Sequence[float] = ()) -> float:
        """Return the loss, nats a row, each row with the weight of its class: what is learned judges what was learned.

        A model that learned with weights has logits for classes of other frequencies: without the weights the one that
        learned least would be the best. `class_weights` as in `weighted_losses`.
        """
        losses = self.losses(f, y)
        if len(class_weights):
            losses = losses * np.asarray(class_weights)[y.astype(np.int64)]
        return float(losses.mean())

    def weighted_losses(self, f: Single, y: Single, class_weights: Single) -> tuple[Single, Single]:
        """Return (n,) losses and their derivatives in f, each row with the weight of its class.

        Args:
            f: float32 logits.
            y: (n,) labels.
            class_weights: (n_classes,); empty: all rows count the same.
        """
        if self.kind == "regression":
            return np.asarray((f - y) ** 2 / 2, np.float32), np.asarray(f - y, np.float32)
        label = y.astype(np.int64)
        weight = class_weights[label] if len(class_weights) else np.ones(1, np.float32)
        if self.kind == "binary":
            p = np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * f))
            losses, slope = weight * (np.logaddexp(0, f) - y * f), weight * (p - y)
            return np.asarray(losses, np.float32), np.asarray(slope, np.float32)
        rows, slope = np.arange(len(f)), np.asarray(softmax(f, axis=1), np.float32)
        losses = np.asarray(logsumexp(f, axis=1), np.float32) - f[rows, label]
        slope[rows, label] -= 1
        return np.asarray(weight * losses, np.float32), np.asarray(weight[:, None] * slope, np.float32)

    def predictions(self, f: Floats) -> Floats:
        """Return probabilities, (n,) of the positive class or (n, n_classes), or the values themselves."""
        if self.kind == "regression":
            return f
        return sigmoid(f) if self.kind == "binary" else np.asarray(softmax(f, axis=1), np.float64)

    def one_output(self, f: Floats, output: int) -> Floats:
        """Return (n,) what is said of one output alone: of a class, its logit against all others together."""
        if self.kind != "multiclass":
            return f
        return f[:, output] - np.asarray(logsumexp(np.delete(f, output, axis=1), axis=1), np.float64)

    def one_label(self, y: NDArray[np.float32], output: int) -> NDArray[np.float32]:
        """Return (n,) the label of one output alone: of a class, 1 for its rows and 0 for all others."""
        return (y == output).astype(np.float32) if self.kind == "multiclass" else y

    def family(self, f: Floats, y: NDArray[np.float32]) -> "Family":
        """Return the distribution of one output's label, the variance of a value estimated from these rows."""
        return (GAUSSIAN if self.kind == "regression" else BERNOULLI).fitted(f, y)


BINARY = Task()
REGRESSION = Task("regression")


@dataclass(frozen=True, slots=True)
class Family:
    """How the label of one output is distributed around f (generalised linear models: McCullagh and Nelder 1989).

    Attributes:
        dispersion: variance of a Gaussian with mean f; 0: a Bernoulli variable with logit f.
    """

    dispersion: float = 0.0

    @property
    def is_gaussian(self) -> bool:
        """Whether it is a Gaussian."""
        return self.dispersion > 0

    def fitted(self, f: Floats, y: NDArray[np.float32]) -> "Family":
        """Return the same kind of distribution, with the variance that these rows have around f."""
        return Family(max(float(np.mean((y - f) ** 2)), 1e-12)) if self.is_gaussian else self

    def losses(self, f: Floats, y: NDArray[np.float32]) -> Floats:
        """Return (n,) minus the log-likelihood, nats, up to a constant."""
        return (f - y) ** 2 / (2 * self.dispersion) if self.is_gaussian else binary_loss(f, y)

    def residuals(self, f: Floats, y: NDArray[np.float32]) -> Floats:
        """Return (n,) minus the derivatives of the losses in f."""
        return (y - f) / self.dispersion if self.is_gaussian else y - sigmoid(f)

    def weights(self, f: Floats) -> Floats:
        """Return (n,) the second derivatives of the losses in f: the variance of the residuals."""
        return np.full(len(f), 1 / self.dispersion) if self.is_gaussian else sigmoid(f) * sigmoid(-f)


BERNOULLI, GAUSSIAN = Family(), Family(1.0)


def sigmoid(f: Floats) -> Floats:
    """Probability of the positive class, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * f))


def binary_loss(f: Floats, y: NDArray[np.float32]) -> Floats:
    """Cross-entropy log(1 + exp(f)) - y f of each row."""
    return np.logaddexp(0, f) - y * f
