"""Held-out gain and held-out score of every column, in O(non-zeros) (docs/method.md; DESIGN.md 5).

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
from scipy.sparse import csc_array

from jobs.data.dataset import Design
from jobs.data.design import take_columns
from jobs.data.kernels import column_moments, column_places
from jobs.data.split import Rows
from jobs.net.codes import Matrix, codes_of
from jobs.net.paths import path_gradients
from jobs.net.tasks import Family
from jobs.net.training import Net
from jobs.selection.held_out import HeldOut, Saying
from jobs.selection.kernels import entry_dots, exact_evidence, sparse_evidence

_EXACT_COVERAGE = 0.1  # columns with more non-zeros than this share of the rows are summed exactly
_PATH_ROWS = 1024
_MOST_CODES = 1000  # of one column, that what its learned codes say is put down to: a matter of their cube

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


@dataclass(frozen=True, slots=True)
class _Entries:
    """What the sums run over.

    Attributes:
        slope: (n, d_block + 1) float32, calibrated gradients; the last coordinate is the linear skip's.
        code: (n_codes, d_block + 1) float32.
        mean: (n_codes,) of the reference rows.
        f, y, loss: (n,) calibrated logits, labels, and the loss of the two.
        family: how labels are distributed around f.
        starts: (n_codes + 1,) where the entries of each column of Z begin.
        row, value, dot: by entry, column after column: its row within the n, its value, its c_j . g_i.
        sums: (n_codes,) sum over rows of value c_j . g_i.
    """

    slope: Matrix
    code: Matrix
    mean: Floats
    f: Floats
    y: Floats
    loss: Floats
    family: Family
    starts: NDArray[np.int64]
    row: NDArray[np.int32]
    value: Matrix
    dot: Matrix
    sums: Floats

    def columns(self, first: int, end: int) -> csc_array:
        """(n, end - first) the values of a range of Z's columns."""
        entries = slice(int(self.starts[first]), int(self.starts[end]))
        indptr = self.starts[first : end + 1] - self.starts[first]
        return csc_array((self.value[entries], self.row[entries], indptr), shape=(len(self.f), end - first))


def held_out_evidence(
    net: Net,
    saying: Saying,
    design: Design,
    tested: Design,
    y: NDArray[np.float32],
    rows: Rows,
    seen: Rows,
    nodes: int,
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
    """
    held = _hold(net, saying, design, y, rows, seen, nodes)
    codes = design.starts[: design.n_numeric]
    few = np.diff(held.starts)[codes] <= _EXACT_COVERAGE * len(rows)
    sparse = np.flatnonzero(few & (np.diff(design.starts)[: design.n_numeric] == 1))
    sums = np.zeros((len(design.columns), 5))
    sums[sparse] = _sparse_sums(held, codes[sparse])[:, [0, 1, 1, 2, 3]]
    exact = np.setdiff1d(np.arange(len(design.columns)), sparse, assume_unique=True)
    effect = np.zeros(tested.n_codes)
    effect[tested.plain_codes] = _effects(held, design)
    sums[exact] = _exact_sums(held, design, exact, _Bends(tested, exact[exact < design.n_numeric], rows), effect)
    return Evidence(HeldOut(rows, held.f, saying.linear, effect, saying.family), *sums.T)


def _effects(held: _Entries, design: Design) -> Floats:
    """(n_plain_codes,) mean linear effect of each code that is no knot; that of a curve is its weighted slope."""
    h = held.family.weights(held.f)
    effect = held.code.astype(np.float64) @ (h @ held.slope / h.sum())
    for first, end in zip(design.starts[: design.n_numeric], design.starts[1:], strict=False):
        if end - first > 1:
            entries = slice(int(held.starts[first]), int(held.starts[end]))
            of_entry = np.repeat(effect[first:end], np.diff(held.starts[first : end + 1]))
            curve = np.bincount(held.row[entries], held.value[entries] * of_entry, len(h))
            own = slice(entries.start, int(held.starts[first + 1]))
            x = np.bincount(held.row[own], held.value[own], len(h))
            x = x - h @ x / h.sum()
            effect[first] = (h * x) @ curve / max(float((h * x) @ x), 1e-300)
    for k in design.n_numeric + np.flatnonzero(design.n_learned[design.n_numeric :]):
        first, end = int(design.starts[k]), int(design.starts[k + 1])
        learned = end - int(design.n_learned[k])
        if learned - first > _MOST_CODES:
            continue
        effect[first:learned] += _along(held, first, learned, held.columns(learned, end) @ effect[learned:end], h)
    return effect[design.plain_codes]


def _along(held: _Entries, first: int, end: int, said: Floats, h: Floats) -> Floats:
    """(end - first,) coefficients of those codes in (n,) what is said, rows weighted by h, beside an intercept."""
    X = held.columns(first, end)
    mean, weighted = h @ X / h.sum(), (X.T * h).tocsr()
    square = (weighted @ X).toarray() - np.outer(mean, mean) * h.sum()
    return np.asarray(np.linalg.lstsq(square, weighted @ said - mean * (h @ said), rcond=1e-9)[0], np.float64)


def _hold(
    net: Net, saying: Saying, design: Design, y: NDArray[np.float32], rows: Rows, seen: Rows, nodes: int
) -> _Entries:
    Z = design.Z
    mean = column_moments(Z.indptr, Z.indices, Z.data, seen, design.n_codes)[0] / len(seen)
    reference = (mean.astype(np.float32) @ net.W)[None]  # (1, d): codes are linear in Z, so this is the mean code
    slope = np.ones((len(rows), net.W.shape[1] + 1), np.float32)
    for at in range(0, len(rows), _PATH_ROWS):
        part = slice(at, at + _PATH_ROWS)
        slope[part, :-1] = path_gradients(net.body, codes_of(Z, rows[part], net.W), reference, nodes)[:, 0]
    slope *= np.float32(saying.slope)
    code = np.column_stack([net.W, net.linear.w])
    starts, entry, row = column_places(Z.indptr, Z.indices, rows, design.n_codes)
    value, dot, sums = Z.data[entry], np.empty(len(row), np.float32), np.empty(design.n_codes)
    entry_dots(starts, row, value, code, slope, dot, sums)
    f, family = saying.f, saying.family
    loss, label = family.losses(f, y[rows]), y[rows].astype(np.float64)
    return _Entries(slope, code, mean, f, label, loss, family, starts, row, value, dot, sums)


def _sparse_sums(held: _Entries, columns: NDArray[np.int64]) -> Floats:
    """(len(columns), 4) sums of gain, score and its moments, of sparse columns of Z."""
    r, h = held.family.residuals(held.f, held.y.astype(np.float32)), held.family.weights(held.f)
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
    for at in range(0, len(slope), _PATH_ROWS):
        part = slice(at, at + _PATH_ROWS)
        g = slope[part].astype(np.float64)
        weighted = g * h[part, None]
        total += g.sum(axis=0)
        along_r += r[part] @ g
        along_h += weighted.sum(axis=0)
        product += weighted.T @ g
    return total, along_r, along_h, product


class _Bends:
    """The hats of numeric columns, as they are tested, on some rows."""

    def __init__(self, tested: Design, columns: NDArray[np.int64], rows: Rows) -> None:
        self._starts, self._n_rows = tested.starts, len(rows)
        is_hat = np.isin(tested.owner, columns)
        is_hat[tested.starts[columns]] = False
        hats = np.flatnonzero(is_hat)
        Z = take_columns(tested.Z, hats)
        self._place = np.cumsum(is_hat) - 1
        self._entries, entry, self._row = column_places(Z.indptr, Z.indices, rows, len(hats))
        self._value = Z.data[entry]

    def codes_of(self, column: int) -> NDArray[np.int64]:
        """The codes of the column's hats."""
        return np.arange(int(self._starts[column]) + 1, int(self._starts[column + 1]))

    def of(self, column: int) -> Floats:
        """(n_rows, n_hats) of one column."""
        codes = self.codes_of(column)
        hats = np.zeros((self._n_rows, len(codes)))
        for at, place in enumerate(self._place[codes]):
            own = slice(int(self._entries[place]), int(self._entries[place + 1]))
            hats[self._row[own], at] = self._value[own]
        return hats


def _exact_sums(held: _Entries, design: Design, columns: NDArray[np.int64], bends: _Bends, effect: Floats) -> Floats:
    """(len(columns), 5) sums of columns of any kind, their attributions made for every row.

    The effect of a number with hats is set: of its value and of each hat, all together.
    """
    owns = [slice(int(design.starts[k]), int(design.starts[k + 1])) for k in columns]
    means = [held.mean[own] @ held.code[own] for own in owns]  # (d_block + 1,) the mean code of each column
    h, out = held.family.weights(held.f), np.empty((len(columns), 5))
    of_rows = (held.f, held.y, held.loss, held.family.dispersion)
    for at, (k, own, mean) in enumerate(zip(columns, owns, means, strict=True)):
        entries = slice(int(held.starts[own.start]), int(held.starts[own.stop]))
        phi = -(held.slope @ mean.astype(np.float32)).astype(np.float64)  # (n,): minus the mean code, along each slope
        found = np.empty(4)
        exact_evidence(phi, held.row[entries], held.value[entries], held.dot[entries], *of_rows, found)
        out[at] = found[[0, 1, 1, 2, 3]]
        if k < design.n_numeric:
            first = slice(entries.start, int(held.starts[own.start + 1]))
            rest, coefficients = _beyond(phi, held.row[first], held.value[first], bends.of(int(k)), h)
            hats = bends.codes_of(int(k))
            if len(hats):
                effect[hats[0] - 1], effect[hats] = coefficients[1], coefficients[2:]
            exact_evidence(rest, held.row[:0], held.value[:0], held.dot[:0], *of_rows, found)
            out[at, 2:] = found[1:]
    return out


def _beyond(phi: Floats, row: NDArray[np.int32], value: Matrix, hats: Floats, h: Floats) -> tuple[Floats, Floats]:
    """(n,) attributions less what the coordinates that a column is tested along, weighted by h, say of them; and that.

    These the conditional test judges, given all other columns; the nets may have theirs from a relative of the column.
    The coordinates: intercept, value, and presence, or hats where there are any. The value is asked first: hats say
    what a line cannot, so that a column without its hats is still what the nets say of it along its line.
    """
    x, presence = np.zeros(len(phi)), np.zeros(len(phi))
    x[row], presence[row] = value, 1
    if not hats.shape[1]:
        rest, effect = _without(phi, np.column_stack([np.ones(len(phi)), x, presence]), h)
        return rest, effect[:2]
    of_line, line = _without(phi, np.column_stack([np.ones(len(phi)), x]), h)
    rest, bends = _without(of_line, np.column_stack([np.ones(len(phi)), hats]), h)
    return rest, np.append(line, bends[1:])


def _without(phi: Floats, base: Floats, h: Floats) -> tuple[Floats, Floats]:
    """What the columns of `base` leave of phi, rows weighted by h, and the coefficients."""
    weighted = base * h[:, None]
    effect = np.asarray(np.linalg.lstsq(weighted.T @ base, weighted.T @ phi, rcond=1e-9)[0], np.float64)
    return phi - base @ effect, effect
