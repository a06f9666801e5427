"""Held-out gain and held-out score of every column, in O(non-zeros) (docs/method.md).

On rows i that the net never saw, with calibrated logits f (sigma and what follows: of a Bernoulli label; other
families have their own residuals and weights, tasks.py), attributions phi against the *mean* row, and
delta_ij = phi_ij - mean_i phi_ij:

    gain_j  = sum_i loss(y_i, f_i - delta_ij) - loss(y_i, f_i)      does this contribution pay for itself? (nats)
    score_j = sum_i delta_ij (y_i - sigma(f_i - delta_ij))          does it point the right way, given everything else?

The gain is what a column is worth to the nets; the score, whose mean is zero for a column of noise, is what they bring
to the verdict (ranking.py). Its moments are those of labels drawn with the net's probabilities: squares of the scores
themselves are close to zero where labels of one kind are rare and happen to be absent. The third one tells how far from
normal it is where few rows have the column and few of those the label. The background must be the mean: against a zero
background a column of noise with a large mean inherits the signal of the others through the gradient.

Centring makes every zero entry of a sparse column contribute, delta = -mean_j t_ij - centre_j with t_ij = c_j . g_i,
but only through g_i. To second order in delta these sums are quadratic forms in c_j,

    sum_i r_i delta    = -mean_j c_j . (sum r g) - centre_j sum r                               r = y - sigma(f)
    sum_i h_i delta^2  = mean_j^2 c_j' (sum h g g') c_j + 2 mean_j centre_j c_j . (sum h g) + centre_j^2 sum h
    gain = r delta + h delta^2 / 2,   score = r delta + h delta^2,   variance = h delta^2      h = sigma (1 - sigma)

so no n x p array is ever made; the third moment leaves zero entries out, a matter of coverage squared. Columns
whose non-zeros are not few are summed exactly, row by row.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.split import Rows
from jobs.net.codes import Matrix
from jobs.net.training import Net
from jobs.selection.effects import Bends, beyond, effects_of_codes
from jobs.selection.entries import PATH_ROWS, Entries, hold
from jobs.selection.held_out import HeldOut, Saying
from jobs.selection.kernels import exact_evidence, sparse_evidence

_EXACT_COVERAGE = 0.1  # columns with more non-zeros than this share of the rows are summed exactly

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Sums over held-out rows, one entry a column.

    Attributes:
        held_out: the rows, and what the net says of them.
        gain, points: (n_columns,) sums of gain_ij, nats, and of score_ij.
        score, variance, third_moment: (n_columns,) of score_ij and of its central moments, of common numbers of that
            part alone which no coordinate says that they are tested along.
    """

    held_out: HeldOut
    gain: Floats
    points: Floats
    score: Floats
    variance: Floats
    third_moment: Floats


def held_out_evidence(
    net: Net,
    saying: Saying,
    design: Design,
    tested: Design,
    y: NDArray[np.float32],
    rows: Rows,
    seen: Rows,
    nodes: int,
    factor: Floats | None = None,
) -> Evidence:
    """Sum gain and score of every column over rows that the net never saw.

    Args:
        net: of one output, trained on `seen`.
        saying: what it says of `rows`, calibrated.
        design: the input.
        tested: the same columns as they are tested (jobs/columns.py).
        y: (n_rows,) labels of the output.
        rows: held-out positions.
        seen: positions whose mean row is the background.
        nodes: of the quadrature along the path from the mean row.
        factor: (n_rows,) what most columns have in common; None: nothing.
    """
    held = hold(net, saying, design, y, rows, seen, nodes, factor)
    codes = design.starts[: design.n_numeric]
    few = np.diff(held.starts)[codes] <= _EXACT_COVERAGE * len(rows)
    sparse = np.flatnonzero(few & (np.diff(design.starts)[: design.n_numeric] == 1))
    sums = np.zeros((len(design.columns), 5))
    sums[sparse] = _sparse_sums(held, codes[sparse])[:, [0, 1, 1, 2, 3]]
    exact = np.setdiff1d(np.arange(len(design.columns)), sparse, assume_unique=True)
    effect = np.zeros(tested.n_codes)
    effect[tested.plain_codes] = effects_of_codes(held, design)[design.plain_codes]
    sums[exact] = _exact_sums(held, design, exact, Bends(tested, exact[exact < design.n_numeric], rows), effect)
    return Evidence(HeldOut(rows, held.f, saying.linear, effect, saying.family), *sums.T)


def _sparse_sums(held: Entries, columns: NDArray[np.int64]) -> Floats:
    """(len(columns), 4) sums of gain, score and its moments, of sparse columns of Z."""
    r, h = held.r, held.h
    code, mean = held.code[columns].astype(np.float64), held.mean[columns]
    total, along_r, along_h, product = _slope_moments(held.slope, r, h)
    centre = np.zeros(len(held.mean))
    c = centre[columns] = (held.sums[columns] - mean * (code @ total)) / len(held.f)
    linear = -mean * (code @ along_r) - c * r.sum()
    squares = mean**2 * np.einsum("ji,ji->j", code @ product, code) + 2 * mean * c * (code @ along_h) + c**2 * h.sum()
    out = np.zeros((len(columns), 4))
    entries, rows = (held.starts, held.row, held.value, held.dot), (held.f, held.y, held.loss, r, h)
    sparse_evidence(*entries, columns, held.mean, centre, *rows, held.family.dispersion, out)
    return out + np.column_stack([linear + squares / 2, linear + squares, squares, np.zeros(len(columns))])


def _slope_moments(slope: Matrix, r: Floats, h: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Sum g, sum r g, sum h g, sum h g g'. float64, a block of rows at a time."""
    width = slope.shape[1]
    total, along_r, along_h, product = np.zeros(width), np.zeros(width), np.zeros(width), np.zeros((width, width))
    for at in range(0, len(slope), PATH_ROWS):
        part = slice(at, at + PATH_ROWS)
        g = slope[part].astype(np.float64)
        weighted = g * h[part, None]
        total += g.sum(axis=0)
        along_r += r[part] @ g
        along_h += weighted.sum(axis=0)
        product += weighted.T @ g
    return total, along_r, along_h, product


def _exact_sums(held: Entries, design: Design, columns: NDArray[np.int64], bends: Bends, effect: Floats) -> Floats:
    """(len(columns), 5) sums of columns of any kind, their attributions made for every row.

    The effects of numbers are set: of the value and of each hat.
    """
    owns = [slice(int(design.starts[k]), int(design.starts[k + 1])) for k in columns]
    means = [held.mean[own] @ held.code[own] for own in owns]  # (d_block + 1,) the mean code of each column
    out = np.empty((len(columns), 5))
    of_rows = (held.f, held.y, held.loss, held.family.dispersion)
    for at, (k, own, mean) in enumerate(zip(columns, owns, means, strict=True)):
        entries = slice(int(held.starts[own.start]), int(held.starts[own.stop]))
        phi = -(held.slope @ mean.astype(np.float32)).astype(np.float64)  # (n,): minus the mean code, along each slope
        found = np.empty(4)
        exact_evidence(phi, held.row[entries], held.value[entries], held.dot[entries], *of_rows, found)
        out[at] = found[[0, 1, 1, 2, 3]]
        if k < design.n_numeric:
            first = slice(entries.start, int(held.starts[own.start + 1]))
            hats = bends.of(int(k))
            rest, coefficients = beyond(held, phi, first, hats)
            own_code = int(bends.starts[k])
            effect[own_code : own_code + len(coefficients)] = coefficients
            exact_evidence(rest, held.row[:0], held.value[:0], held.dot[:0], *of_rows, found)
            out[at, 2:] = found[1:]
    return out
