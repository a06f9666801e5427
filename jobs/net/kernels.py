# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false
# ruff: noqa: ANN001, ANN201
"""Products of CSR rows with a dense matrix, and the step of the first layer, compiled by numba.

Dense float64 references stand in tests/jobs/net/test_kernels.py. The rows of a minibatch are addressed in place: no
minibatch is ever assembled. Work is cut by row or by slice of columns, never by thread, so results do not depend on the
number of threads.
"""

from typing import Any

import numba
import numpy as np
from numba import prange

_compile_parallel: Any = numba.njit(cache=True, nogil=True, parallel=True, fastmath={"contract", "reassoc", "nsz"})

_SLICE = 64  # columns of W that one piece of work owns in the transposed product: no two pieces write one number


@_compile_parallel
def rows_times(indptr, indices, data, rows, W, out):
    """out[i] = Z[rows[i]] @ W. Cost: non-zeros of the rows x d. W (n_codes, d), out (n, d), float32, C-ordered."""
    for i in prange(len(rows)):
        sums = out[i]
        sums[:] = 0
        for at in range(indptr[rows[i]], indptr[rows[i] + 1]):
            value = data[at]
            code = W[indices[at]]
            for d in range(W.shape[1]):
                sums[d] += value * code[d]


@_compile_parallel
def rows_transposed_times(indptr, indices, data, rows, G, out):
    """Z[rows].T @ G, added to out. Cost: non-zeros of the rows x d. G (n, d), out (n_codes, d), float32, C-ordered."""
    width = G.shape[1]
    for piece in prange((width + _SLICE - 1) // _SLICE):
        first = piece * _SLICE
        last = min(width, first + _SLICE)
        for i in range(len(rows)):
            slope = G[i, first:last]
            for at in range(indptr[rows[i]], indptr[rows[i] + 1]):
                value = data[at]
                sums = out[indices[at], first:last]
                for d in range(last - first):
                    sums[d] += value * slope[d]


@_compile_parallel
def row_adam_step(W, gradient, first, second, decay1, decay2, correction1, correction2, rate, penalty):
    """One Adam step with one second moment for each row of W, then the group-lasso shrinkage of that row. In place.

    W, gradient, first: (n_codes, d); second: (n_codes,). Rows that are zero, unmoved and without gradient cost a look.
    """
    width = W.shape[1]
    for j in prange(W.shape[0]):
        squares = np.float32(0)
        for d in range(width):
            squares += gradient[j, d] * gradient[j, d]
        second[j] = decay2 * second[j] + (np.float32(1) - decay2) * squares / width
        if second[j] == 0:
            continue
        step = rate / (correction1 * (np.sqrt(second[j] / correction2) + np.float32(1e-8)))
        norm = np.float32(0)
        for d in range(width):
            first[j, d] = decay1 * first[j, d] + (np.float32(1) - decay1) * gradient[j, d]
            W[j, d] -= step * first[j, d]
            norm += W[j, d] * W[j, d]
        norm = np.sqrt(norm)
        keep = np.float32(0)
        if norm > rate * penalty:
            keep = np.float32(1) - rate * penalty / norm
        for d in range(width):
            W[j, d] *= keep
