"""The first layer: h(x) = sum_j c_j(x_j), a CSR x dense product, and the optimizer it needs.

W has one row for each column of the design matrix Z, so numeric and categorical columns are one mechanism. The layer is
trained beside the body rather than by autograd: its gradient is one sparse product.

Why an optimizer of its own: Adam gives every parameter the same step, so the thousands of rare columns move as fast as
the common ones and the net fills with noise. Here each code has one second moment (the mean over its row), so the size
of the momentum relative to it is a signal-to-noise ratio of the *column*, and the group lasso (Yuan and Lin 2006,
proximal step) compares with exactly that ratio: a column whose gradients do not agree from minibatch to minibatch is
set to zero, rare or not. Measured in docs/method.md.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.split import Rows
from jobs.net.kernels import row_adam_step, rows_times, rows_transposed_times

Matrix = NDArray[np.float32]

_DECAY1, _DECAY2 = 0.9, 0.999
_INITIAL_SCALE, _AWAKE_SCALE = 0.02, 1.0
NO_CODES: NDArray[np.int64] = np.zeros(0, np.int64)


def initial_codes(n_codes: int, d_block: int, seed: int, awake: NDArray[np.int64] = NO_CODES) -> Matrix:
    """Return random codes, (n_codes, d_block) float32: small ones, but for codes that are `awake` from the start.

    From small codes it takes the body long to see that two columns act together, and before it does the group lasso has
    often put them to sleep (docs/method.md 2).
    """
    random = np.random.default_rng(seed)
    W = random.normal(scale=_INITIAL_SCALE, size=(n_codes, d_block)).astype(np.float32)
    W[awake] = random.normal(scale=_AWAKE_SCALE, size=(len(awake), d_block))
    return W


def codes_of(Z: csr_array, rows: Rows, W: Matrix) -> Matrix:
    """Return (len(rows), d) float32: the summed codes Z[rows] @ W."""
    out = np.empty((len(rows), W.shape[1]), np.float32)
    rows_times(Z.indptr, Z.indices, Z.data, rows, W, out)
    return out


def codes_gradient(Z: csr_array, rows: Rows, G: Matrix) -> Matrix:
    """Return (n_codes, d) float32: Z[rows].T @ G, the gradient of W when G is the gradient of the codes."""
    out = np.zeros((Z.shape[1], G.shape[1]), np.float32)
    rows_transposed_times(Z.indptr, Z.indices, Z.data, rows, G, out)
    return out


class CodeOptimizer:
    """Adam with one second moment a code, and a group lasso on every code.

    Args:
        W: (n_codes, d_block) the codes; stepped in place.
        learning_rate: of the normalised momentum.
        penalty: group lasso in units of the learning rate: what the norm of a code loses at each step.
    """

    def __init__(self, W: Matrix, learning_rate: float, penalty: float) -> None:
        self._W = W
        self._momentum = np.zeros_like(W)
        self._second = np.zeros(len(W), np.float32)
        self._rate, self._penalty = np.float32(learning_rate), np.float32(penalty)
        self._steps = 0

    def step(self, gradient: Matrix) -> None:
        """Move W against `gradient`, (n_codes, d_block)."""
        self._steps += 1
        corrections = np.float32(1 - _DECAY1**self._steps), np.float32(1 - _DECAY2**self._steps)
        decays = np.float32(_DECAY1), np.float32(_DECAY2)
        row_adam_step(self._W, gradient, self._momentum, self._second, *decays, *corrections, self._rate, self._penalty)
