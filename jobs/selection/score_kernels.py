# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false
# ruff: noqa: ANN001, ANN201
"""Sums over non-zeros for the test of single columns, and tails of its scores, compiled by numba.

Dense references stand in tests/jobs/selection/. Work is cut by column, never by thread: results do not depend on the
number of threads.
"""

import math
from typing import Any

import numba
import numpy as np
from numba import prange

_compile: Any = numba.njit(cache=True, nogil=True, error_model="numpy")
_compile_parallel: Any = numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy")


@_compile
def code_sums(indptr, indices, data, rows, r, h, out):
    """Weighted sums over the entries z of each column: out[j] += (r z, h z, h z^2, r, h). r, h: (len(rows),)."""
    for i in range(len(rows)):
        for at in range(indptr[rows[i]], indptr[rows[i] + 1]):
            j, z = indices[at], np.float64(data[at])
            out[j, 0] += r[i] * z
            out[j, 1] += h[i] * z
            out[j, 2] += h[i] * z * z
            out[j, 3] += r[i]
            out[j, 4] += h[i]


@_compile_parallel
def ranks_among_neighbours(values, first, width):
    """(n,) the share of values[first[i]:first[i] + width] that lie below value i, of equals one half; in (0, 1)."""
    n = len(values)
    ranks = np.empty(n)
    for i in prange(n):
        below = 0.0
        for at in range(first[i], first[i] + width):
            below += 1.0 if values[at] < values[i] else 0.5 if values[at] == values[i] else 0.0
        ranks[i] = below / width
    return ranks


@_compile_parallel
def weighted_products(starts, row, value, rows, indptr, indices, data, h, M):
    """Weighted products of chosen columns with all columns, of values and of presences, zero on entry.

    Entries starts[a]:starts[a + 1] of `row` (within `rows`) and `value` belong to chosen column a. M (n_chosen, 2, 2,
    n_codes): M[a, u, v, j] = sum over rows of h x y, where x is the value (u = 0) or presence (u = 1) of a, y that of
    j.
    """
    for a in prange(len(starts) - 1):
        sums = M[a]
        for place in range(starts[a], starts[a + 1]):
            i = rows[row[place]]
            weight = h[row[place]]
            x = weight * value[place]
            for at in range(indptr[i], indptr[i + 1]):
                j, z = indices[at], np.float64(data[at])
                sums[0, 0, j] += x * z
                sums[0, 1, j] += x
                sums[1, 0, j] += weight * z
                sums[1, 1, j] += weight


@_compile_parallel
def cluster_sums(starts, row, value, cluster, root, total, out):
    """How the entries of each column lie in clusters, zero on entry: out[j, u] += (sum S^2, sum S T).

    Over clusters, S being the sum of root x over the rows of the cluster, x the value (u = 0) or presence (u = 1), and
    T = total the sum of root. Entries starts[j]:starts[j + 1] of `row` and `value` belong to column j; rows of one
    cluster are neighbours. cluster, root: of each row.
    """
    for j in prange(len(starts) - 1):
        at = starts[j]
        while at < starts[j + 1]:
            of = cluster[row[at]]
            by_value, by_presence = 0.0, 0.0
            while at < starts[j + 1] and cluster[row[at]] == of:
                by_value += root[row[at]] * value[at]
                by_presence += root[row[at]]
                at += 1
            out[j, 0, 0] += by_value * by_value
            out[j, 0, 1] += by_value * total[of]
            out[j, 1, 0] += by_presence * by_presence
            out[j, 1, 1] += by_presence * total[of]


@_compile
def drawn_sums(x, first, size, left, rest, draws, random):
    """(draws,) sums of x_i l_i + normal of deviation `rest`, l_i one of left[first[i]:first[i] + size], drawn anew."""
    sums = np.empty(draws)
    for draw in range(draws):
        total = rest * random.standard_normal()
        for i in range(len(x)):
            total += x[i] * left[first[i] + random.integers(0, size)]
        sums[draw] = total
    return sums


@_compile
def saddlepoint_tail(a, p, rest, q):
    """P(S > q) for q > 0, of S = sum_i a_i (Y_i - p_i) + normal of variance `rest`, Y_i independent Bernoulli(p_i).

    Lugannani and Rice (1980) in the form of Barndorff-Nielsen; 0 where S cannot come so far; -1 where the saddlepoint
    cannot be found.
    """
    t, low, high = 0.0, 0.0, -1.0
    for _ in range(100):
        slope, curve = rest * t - q, rest
        for i in range(len(a)):
            grown = p[i] * np.exp(min(a[i] * t, 500.0))
            share = grown / (1 - p[i] + grown)
            slope += a[i] * (share - p[i])
            curve += a[i] * a[i] * share * (1 - share)
        if abs(slope) < 1e-6 * q:
            break
        if slope < 0:
            low = t
        else:
            high = t
        step = t - slope / max(curve, 1e-300)
        if step <= low or (high > 0 and step >= high):
            step = (low + high) / 2 if high > 0 else 2 * low + 1 / np.sqrt(q)
        t = step
        if t > 1e6:
            return 0.0
    else:
        return -1.0
    generating, curve = rest * t * t / 2, rest
    for i in range(len(a)):
        grown = p[i] * np.exp(min(a[i] * t, 500.0))
        share = grown / (1 - p[i] + grown)
        generating += np.log(1 - p[i] + grown) - p[i] * a[i] * t
        curve += a[i] * a[i] * share * (1 - share)
    w, v = np.sqrt(max(2 * (t * q - generating), 0.0)), t * np.sqrt(curve)
    if w < 1e-3 or v <= 0:
        return -1.0
    z = w + np.log(v / w) / w
    return 0.5 * math.erfc(z / math.sqrt(2.0))
