# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false
# ruff: noqa: ANN001, ANN201, ANN202
"""Sparse kernels of attribution and selection, compiled by numba.

Dense references stand in tests/jobs/selection/test_kernels.py. Work is cut by row or by column, never by thread:
results do not depend on the number of threads.
"""

from typing import Any

import numba
import numpy as np
from numba import prange

_compile: Any = numba.njit(cache=True, nogil=True, error_model="numpy")
_compile_parallel: Any = numba.njit(cache=True, nogil=True, parallel=True, fastmath={"contract", "reassoc", "nsz"})


@_compile_parallel
def row_part(indptr, indices, data, rows, W, w, slope, phi):
    """phi[i, l] += z_il (w_l + W_l . slope_i) for the non-zeros of rows[i]. slope (n, d), phi (n, n_codes)."""
    for i in prange(len(rows)):
        for at in range(indptr[rows[i]], indptr[rows[i] + 1]):
            code = indices[at]
            total = w[code]
            for d in range(W.shape[1]):
                total += W[code, d] * slope[i, d]
            phi[i, code] += data[at] * total


@_compile_parallel
def entry_part(indptr, indices, data, rows, W, w, slope, owner, starts, phi, column):
    """Entry by entry z (w_l + W_l . slope_i), and the column that owns l, for the entries z_il of rows[i].

    slope (n, d), owner (n_codes,); row i writes phi and column from starts[i] on.
    """
    for i in prange(len(rows)):
        first = indptr[rows[i]]
        for at in range(first, indptr[rows[i] + 1]):
            code = indices[at]
            total = w[code]
            for d in range(W.shape[1]):
                total += W[code, d] * slope[i, d]
            phi[starts[i] + at - first] = data[at] * total
            column[starts[i] + at - first] = owner[code]


@_compile_parallel
def background_part(indptr, indices, data, background, W, slopes, phi):
    """phi[i, l] -= mean over background rows r of z_rl W_l . slopes[i, r]. slopes (n, n_background, d)."""
    for i in prange(len(phi)):
        for r in range(len(background)):
            for at in range(indptr[background[r]], indptr[background[r] + 1]):
                code = indices[at]
                total = np.float32(0)
                for d in range(W.shape[1]):
                    total += W[code, d] * slopes[i, r, d]
                phi[i, code] -= data[at] * total / len(background)


@_compile_parallel
def entry_dots(starts, row, value, code, slope, out, sums):
    """out[place] = code_j . slope_i for the entry of row i in column j; sums[j] adds up value_ij code_j . slope_i.

    slope (n, e), code (n_codes, e), sums (n_codes,) float64.
    """
    for j in prange(len(starts) - 1):
        sums[j] = 0
        for place in range(starts[j], starts[j + 1]):
            i = row[place]
            total = np.float64(0)
            for d in range(slope.shape[1]):
                total += code[j, d] * slope[i, d]
            out[place] = total
            sums[j] += value[place] * total


@_compile_parallel
def slope_sums(starts, row, value, dot, h, factor, out):
    """Weighted sums over the entries x of each column, t the entry's `dot`, zero on entry.

    out[j] += (h x, h x^2, h factor x, h x t, h x^2 t, h factor x t). row, value, dot: by entry, in the order of
    `starts`; rows address h and factor, (n,).
    """
    for j in prange(len(starts) - 1):
        for place in range(starts[j], starts[j + 1]):
            i, x, t = row[place], np.float64(value[place]), np.float64(dot[place])
            weighted = h[i] * x
            out[j, 0] += weighted
            out[j, 1] += weighted * x
            out[j, 2] += weighted * factor[i]
            out[j, 3] += weighted * t
            out[j, 4] += weighted * x * t
            out[j, 5] += weighted * factor[i] * t


@_compile_parallel
def sparse_evidence(starts, row, value, dot, columns, mean, centre, f, y, loss, residual, weight, dispersion, out):
    """Gain and score of sparse columns: exact over non-zeros, minus what the closed form counted for those rows.

    For column j (position k in `columns`) and its non-zero rows i, with t the entry's `dot`,
        exact   delta  = (value - mean_j) t - centre_j
        counted delta0 = -mean_j t - centre_j          (what the row would have had with value 0)
    out[k] = (gain, score, its second and third central moment) of `exact`, the first three minus the second-order
    expressions of `counted`.
    row, value, dot: by entry, in the order of `starts`; rows address f, y, the loss of the two, residual and weight,
    all (n,). dispersion: of a Gaussian label, 0 of a Bernoulli one.
    """
    for k in prange(len(columns)):
        j = columns[k]
        for place in range(starts[j], starts[j + 1]):
            i = row[place]
            counted = -mean[j] * dot[place] - centre[j]
            delta = counted + value[place] * dot[place]
            without, own_residual, own_weight, third = _loss_and_moments(f[i] - delta, y[i], dispersion)
            gain = without - loss[i]
            score = delta * own_residual
            linear = residual[i] * counted
            square = weight[i] * counted * counted
            out[k, 0] += gain - linear - square / 2
            out[k, 1] += score - linear - square
            out[k, 2] += delta * delta * own_weight - square
            out[k, 3] += delta * delta * delta * third


@_compile
def exact_evidence(phi, row, value, dot, f, y, loss, dispersion, out):
    """Gain and score of one column, row by row: out = sums of (gain, score, its second and third central moment).

    phi: (n,) the attributions of rows without an entry; what entries add to their rows is value dot. Overwritten.
    f, y, loss: (n,) logits, labels, and the loss of the two. dispersion: of a Gaussian label, 0 of a Bernoulli one.
    """
    for place in range(len(row)):
        phi[row[place]] += np.float64(value[place]) * dot[place]
    centre = phi.mean()
    out[:] = 0
    for i in range(len(phi)):
        delta = phi[i] - centre
        without, residual, weight, third = _loss_and_moments(f[i] - delta, y[i], dispersion)
        out[0] += without - loss[i]
        out[1] += delta * residual
        out[2] += delta * delta * weight
        out[3] += delta * delta * delta * third


@_compile
def _loss_and_moments(f, y, dispersion):
    """What Family says (tasks.py), one row, of a logit without overflow and with one exponential.

    The loss, the residual, and its variance and third central moment.
    """
    if dispersion > 0:
        residual = (y - f) / dispersion
        return residual * residual * dispersion / 2, residual, 1 / dispersion, 0.0
    rest = np.exp(-abs(f))
    p = 1 / (1 + rest) if f >= 0 else rest / (1 + rest)
    return max(f, 0.0) + np.log1p(rest) - y * f, y - p, p * (1 - p), p * (1 - p) * (1 - 2 * p)
