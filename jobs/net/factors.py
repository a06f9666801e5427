# pyright: reportUnknownMemberType=false
# torch leaves from_numpy untyped.
"""A factorisation term over declared columns: how well what they say goes together.

    f(x) += sum over pairs j < k of s_j . s_k,   s_j = v_j(x_j)

(factorisation machines over fields: Rendle 2010, section III; of two categorical columns it is the factorisation of a
matrix). Each declared column has coordinates of its own for its factors in the code, so h(x) stays a sum over columns
and the one formula of the attributions holds: along a straight line the gradient of the term is the mean
of both ends.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from jobs.data.design import take_columns
from jobs.data.split import Rows
from jobs.net.codes import CodeOptimizer, Matrix, codes_gradient, codes_of

_INITIAL_NORM = 0.3
_RATE = 5.0  # of the steps of a factor, in learning rates
_DECAY = 0.03  # pull of each row on the factors that it has

Single = NDArray[np.float32]


class Factors:
    """The factors of the declared columns while they are trained.

    Args:
        Z: (n_rows, n_codes) design matrix.
        columns: the codes of each declared column, ascending.
        n_factors: of a code.
        learning_rate: of the body.
        seed: of the initial factors.
    """

    def __init__(
        self, Z: csr_array, columns: Sequence[NDArray[np.int64]], n_factors: int, learning_rate: float, seed: int
    ) -> None:
        self._n_codes, self._columns, self._n_factors = Z.shape[1], columns, n_factors
        self._Z = [take_columns(Z, codes) for codes in columns]
        random, scale = np.random.default_rng([seed, 1]), _INITIAL_NORM / np.sqrt(n_factors)
        self._V = [random.normal(scale=scale, size=(len(codes), n_factors)).astype(np.float32) for codes in columns]
        self._sums = np.empty((0, 0), np.float32)
        self._optimizers = [CodeOptimizer(V, _RATE * learning_rate, 0.0) for V in self._V]

    def forward(self, rows: Rows) -> Single:
        """Return (n,) what the term adds to those rows; notes what `step` needs."""
        self._sums = np.hstack([codes_of(Z, rows, V) for Z, V in zip(self._Z, self._V, strict=True)])
        return term(torch.from_numpy(self._sums), len(self._columns)).numpy()

    def step(self, rows: Rows, slope: Single) -> None:
        """Move the factors against the gradient; `slope` (n,) is that of the loss in the f of the last `forward`."""
        gradient = slope[:, None] * term_gradient(self._sums, len(self._columns))
        pull = np.full((len(rows), 1), _DECAY / len(rows), np.float32)
        owns = np.hsplit(gradient, len(self._columns))
        for Z, V, own, optimizer in zip(self._Z, self._V, owns, self._optimizers, strict=True):
            along = codes_gradient(Z, rows, np.ascontiguousarray(own))
            optimizer.step(np.asarray(along + codes_gradient(Z, rows, pull) * V, np.float32))

    @property
    def arrays(self) -> list[Single]:
        """(n_codes, n_factors) of each column, as they are stepped in place."""
        return self._V

    def coordinates(self) -> Matrix:
        """Return (n_codes, n_columns x n_factors): the factors of each code, in the place of its column."""
        out = np.zeros((self._n_codes, len(self._columns) * self._n_factors), np.float32)
        for j, (codes, V) in enumerate(zip(self._columns, self._V, strict=True)):
            out[codes, j * self._n_factors : (j + 1) * self._n_factors] = V
        return out


def term(sums: Tensor, n_columns: int) -> Tensor:
    """Return (n,) the sum over pairs of columns of s_j . s_k; `sums` (n, n_columns x n_factors)."""
    s = sums.view(len(sums), n_columns, -1)
    return ((s.sum(dim=1) ** 2).sum(dim=1) - (s**2).sum(dim=(1, 2))) / 2


def term_gradient(sums: Matrix, n_columns: int) -> Matrix:
    """Return the gradient of `term` in `sums`: of s_j, the sum of the others."""
    s = sums.reshape(len(sums), n_columns, -1)
    return (s.sum(axis=1, keepdims=True) - s).reshape(sums.shape)
