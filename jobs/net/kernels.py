# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false
# ruff: noqa: ANN001, ANN201
"""What training does besides dense matrix products, compiled by numba.

First the products of CSR rows with a dense matrix, the logistic loss of a linear model, the step of the first layer;
then the passes over a batch between the products of the body, and the step of its weights.

Dense float64 references stand in tests/jobs/net/test_kernels.py. The rows of a minibatch are addressed in place: no
minibatch is ever assembled. Work is cut by row or by slice of columns, never by thread, so results do not depend on the
number of threads.
"""

from typing import Any

import numba
import numpy as np
from numba import prange

_FAST = {"contract", "reassoc", "nsz"}
_compile: Any = numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
_compile_parallel: Any = numba.njit(cache=True, nogil=True, parallel=True, fastmath=_FAST, error_model="numpy")

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
def linear_pieces(indptr, indices, data, rows, y, positive_weight, is_gaussian, w, b, losses, gradients):
    """Loss of the rows at f = z w + b, and its gradient, cut into equal pieces of the rows. float64.

    The loss is that of a logit, or half the squared error if `is_gaussian`.
    losses: (n_pieces,) and gradients: (n_pieces, n_codes + 1), zero on entry; the last column is the intercept's.
    """
    for piece in prange(len(losses)):
        gradient = gradients[piece]
        loss, slope = 0.0, 0.0
        for i in range(piece * len(rows) // len(losses), (piece + 1) * len(rows) // len(losses)):
            first, last = indptr[rows[i]], indptr[rows[i] + 1]
            f = b
            for at in range(first, last):
                f += w[indices[at]] * data[at]
            if is_gaussian:
                residual = f - y[rows[i]]
                loss += residual * residual / 2
            else:
                positive = y[rows[i]] > 0
                weight = positive_weight if positive else 1.0
                rest = np.exp(-abs(f))
                loss += weight * (max(f, 0.0) + np.log1p(rest) - (f if positive else 0.0))
                p = 1 / (1 + rest) if f >= 0 else rest / (1 + rest)
                residual = weight * (p - (1.0 if positive else 0.0))
            slope += residual
            for at in range(first, last):
                gradient[indices[at]] += residual * data[at]
        losses[piece] = loss
        gradient[-1] = slope


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


@_compile
def relu_dropout(z, drawn, dropped, scale, out):
    """Write scale max(z, 0) where the drawn byte is at least `dropped`, else 0. All (n, d)."""
    for i in range(z.shape[0]):
        for k in range(z.shape[1]):
            kept = (z[i, k] > 0) & (drawn[i, k] >= dropped)
            out[i, k] = scale * z[i, k] if kept else np.float32(0)


@_compile
def relu_dropout_gradient(gradient, result, scale, out):
    """Write scale gradient where the result of `relu_dropout` is positive, else 0. All (n, d)."""
    for i in range(result.shape[0]):
        for k in range(result.shape[1]):
            out[i, k] = scale * gradient[i, k] if result[i, k] > 0 else np.float32(0)


@_compile
def dropout(z, drawn, dropped, scale, out):
    """Write scale z where the drawn byte is at least `dropped`, else 0. All (n, d)."""
    for i in range(z.shape[0]):
        for k in range(z.shape[1]):
            out[i, k] = scale * z[i, k] if drawn[i, k] >= dropped else np.float32(0)


@_compile
def batch_moments(h, mean, variance):
    """Mean and variance (divided by n) of each column of h (n, d), summed in float64."""
    n = h.shape[0]
    mean[:] = 0
    variance[:] = 0
    for i in range(n):
        for k in range(h.shape[1]):
            mean[k] += h[i, k]
    mean /= n
    for i in range(n):
        for k in range(h.shape[1]):
            distance = h[i, k] - mean[k]
            variance[k] += distance * distance
    variance /= n


@_compile
def normalise(h, mean, inverse, weight, bias, out):
    """Write (h - mean) inverse weight + bias, column by column; `inverse` of the standard deviation."""
    for i in range(h.shape[0]):
        for k in range(h.shape[1]):
            out[i, k] = (h[i, k] - mean[k]) * inverse[k] * weight[k] + bias[k]


@_compile
def normalise_gradient(gradient, h, mean, inverse, weight, of_weight, of_bias, out):
    """Gradient of `normalise` with batch moments (Ioffe and Szegedy 2015, section 3).

    gradient, h, out: (n, d); the others (d,). of_weight and of_bias are sums over the batch, zero on entry.
    """
    n = h.shape[0]
    for i in range(n):
        for k in range(h.shape[1]):
            of_bias[k] += gradient[i, k]
            of_weight[k] += gradient[i, k] * (h[i, k] - mean[k]) * inverse[k]
    for i in range(n):
        for k in range(h.shape[1]):
            centred = (h[i, k] - mean[k]) * inverse[k]
            out[i, k] = weight[k] * inverse[k] * (gradient[i, k] - (of_bias[k] + centred * of_weight[k]) / n)


@_compile
def adam_step(w, gradient, first, second, decay1, decay2, rate, correction2, coupled, keep):
    """One step of Adam on (n,) weights, in place; `rate` is corrected for the first moment, `keep` of each stays."""
    for k in range(len(w)):
        slope = gradient[k] + coupled * w[k]
        first[k] = decay1 * first[k] + (np.float32(1) - decay1) * slope
        second[k] = decay2 * second[k] + (np.float32(1) - decay2) * slope * slope
        w[k] = keep * w[k] - rate * first[k] / (np.sqrt(second[k] * correction2) + np.float32(1e-8))


@_compile
def interpolate(starts, ends, alpha, out):
    """Points start + alpha (end - start): row (i n_starts + r) n_alpha + k of out is from starts[r] to ends[i]."""
    row = 0
    for i in range(len(ends)):
        for r in range(len(starts)):
            for k in range(len(alpha)):
                for d in range(starts.shape[1]):
                    out[row, d] = starts[r, d] + alpha[k] * (ends[i, d] - starts[r, d])
                row += 1


@_compile
def open_relu(h, scale, shift, slope, out):
    """Write `slope` where h scale + shift is positive, else 0. h, out (n, d); the others (d,)."""
    for i in range(h.shape[0]):
        for d in range(h.shape[1]):
            out[i, d] = slope[d] if h[i, d] * scale[d] + shift[d] > 0 else np.float32(0)


@_compile
def weigh_points(points, share, out):
    """out[i] = sum over k of share[k] points[i n_share + k]. points (n n_share, d), out (n, d)."""
    for i in range(len(out)):
        out[i] = 0
        for k in range(len(share)):
            for d in range(out.shape[1]):
                out[i, d] += share[k] * points[i * len(share) + k, d]
