"""Do two columns act together, beyond what each does alone? Every pair of columns is tested on held-out rows.

A column either happens in a row or not (a dense one: lies beyond its mean, seen from zero, or not). For two columns
the residuals of a linear model fall into a fourfold table, of which the interaction is one contrast, free of
both main effects. Its z is close to normal where no cell is small. All pairs cost what the correlations cost: for each
row half the square of its non-zeros.

A pair that lies beyond the reach of chance among all pairs is a candidate. Candidates are taken the strongest first,
each judged given those already taken and given curvature of its own two columns: a twin of a true partner shows the
same contrast, and nothing once the true pair is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtr

from jobs.data.dataset import Design
from jobs.data.design import take_columns
from jobs.data.kernels import column_counts, column_moments
from jobs.data.split import Rows
from jobs.net.tasks import Family
from jobs.selection.held_out import HeldOut, logit_bounds
from jobs.selection.neighbours import normal_scores, recalibrated
from jobs.selection.pair_kernels import happenings, interaction_contrasts, joint_sums, own_sums, rows_by_column

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

_DENSE = 0.5  # columns with a larger share of non-zeros are cut at their mean
_LEAST_CELL = 5.0  # sum of the rows' weights, sigma (1 - sigma) of a class, that each cell of a table needs
_CANDIDATES, _CANDIDATE_P = 100, 0.01  # at most so many pairs; of the smallest p among all pairs, Bonferroni
_WORK, _ENTRIES = 1e9, 1e7  # sums over pairs, and non-zeros that are looked at: a sample of rows where there are more
_CANDIDATE_ROWS = 50_000  # of the second look
_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Interactions:
    """The verdict of the test.

    Attributes:
        pairs: (n_pairs, 2) columns that act together, the strongest first.
        codes: (n_pairs, 2) their codes.
        z: (n_pairs,) of each, given those before it.
        p_value: (n_columns,) of the strongest interaction of each column, all its partners allowed for; else 1.
    """

    pairs: Index
    codes: Index
    z: Floats
    p_value: Floats


def find_interactions(
    design: Design,
    y: NDArray[np.float32],
    folds: Sequence[HeldOut],
    inflation: Floats,
    block_bytes: int = _BLOCK_BYTES,
) -> Interactions:
    """Test all pairs of columns on the held-out rows of all folds together, against the folds' linear models.

    inflation: (n_codes,) of the standard deviation of the score of each code (dependence.py); a pair has the larger.
    """
    rows = np.concatenate([fold.rows for fold in folds])
    linear = np.concatenate([fold.linear for fold in folds])
    return _find(design, y, rows, linear, folds[0].family, inflation, block_bytes)


def no_interactions(design: Design) -> Interactions:
    """Return the verdict where pairs are not tested."""
    none = np.zeros((0, 2), np.int64)
    return Interactions(none, none, np.zeros(0), np.ones(len(design.columns)))


def strongest_pairs(found: Sequence[Interactions]) -> Interactions:
    """Return the pairs of all outputs, each once, where it is strongest; the strongest first. p-values: the least."""
    pairs, codes, z = (np.concatenate([getattr(each, name) for each in found]) for name in ("pairs", "codes", "z"))
    order = np.argsort(-np.abs(z), kind="stable")
    first = np.sort(np.unique(pairs[order], axis=0, return_index=True)[1])
    kept = order[first]
    return Interactions(pairs[kept], codes[kept], z[kept], np.min([each.p_value for each in found], axis=0))


def interacting_codes(design: Design, y: NDArray[np.float32], rows: Rows, f: Floats, family: Family) -> Index:
    """Codes that act together with others on `rows`, beyond what a linear model says of them, f (n,); ascending."""
    return np.unique(_find(design, y, rows, f, family, np.ones(design.n_codes), _BLOCK_BYTES).codes)


def _find(
    design: Design,
    y: NDArray[np.float32],
    rows: Rows,
    f: Floats,
    family: Family,
    inflation: Floats,
    block_bytes: int,
) -> Interactions:
    if family.is_gaussian:  # residuals in units of their neighbours, and weights like those of the surest class
        residuals, weights = normal_scores(f, y[rows] - f) / 2, np.full(len(f), 0.25)
    else:
        f = recalibrated(np.clip(f, *logit_bounds(y[rows], family)), y[rows])
        residuals, weights = family.residuals(f, y[rows]), family.weights(f)
    table = _table(design, rows, residuals, weights)
    n_partners, codes, z = _screen(table, design, inflation, block_bytes)
    return _take_in_turn(table, design, inflation, n_partners, codes, z)


@dataclass(frozen=True, slots=True)
class _Table:
    """Which row has which code, and the residual r and weight h of each row."""

    rows: Rows
    r: Floats
    h: Floats
    indptr: Index
    indices: NDArray[np.int32]


def _table(design: Design, rows: Rows, r: Floats, h: Floats) -> _Table:
    Z, n_codes = design.Z, design.n_codes
    means = column_moments(Z.indptr, Z.indices, Z.data, rows, n_codes)[0] / len(rows)
    lowest = np.where(column_counts(Z.indices, n_codes) > _DENSE * Z.shape[0], np.abs(means), -np.inf)
    side = np.where(means < 0, -1.0, 1.0)  # zeros are not stored, so what is cut off lies away from them
    length = np.diff(Z.indptr)[rows].astype(np.float64)
    every = max(1, int(np.ceil(max((length @ length) / 2 / _WORK, length.sum() / _ENTRIES))))
    some = slice(None, None, every)  # of every fold as many
    indptr, indices = happenings(Z.indptr, Z.indices, Z.data, rows[some], lowest, side)
    return _Table(rows[some], r[some], h[some], indptr, indices)


def _screen(table: _Table, design: Design, inflation: Floats, block_bytes: int) -> tuple[Index, Index, Floats]:
    """Number of testable partners of each code, and the pairs of codes that stand out: (n, 2) and their z."""
    n, owner = design.n_codes, design.owner
    starts, row = rows_by_column(table.indptr, table.indices, n)
    own = np.empty((n, 2))
    own_sums(starts, row, table.r, table.h, own)
    n_partners, n_block = np.zeros(n, np.int64), max(1, block_bytes // (24 * n))
    pairs, found = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    least_z = 4.0
    for first in range(0, n, n_block):
        shape = (min(n_block, n - first), n)
        R, H, z = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        joint_sums(starts, row, table.indptr, table.indices, table.r, table.h, first, R, H)
        interaction_contrasts(R, H, first, own[:, 0], own[:, 1], table.r.sum(), table.h.sum(), _LEAST_CELL, z)
        z /= np.maximum(inflation[first : first + shape[0], None], inflation)
        z[owner[first : first + shape[0], None] == owner] = 0  # two codes of one column are no pair
        tested = z != 0
        n_partners[first : first + shape[0]] += tested.sum(axis=1)
        n_partners += tested.sum(axis=0)
        local, other = np.nonzero(np.abs(z) > least_z)
        pairs.append(np.column_stack([first + local, other]))
        found.append(z[local, other])
    codes, z = np.concatenate(pairs), np.concatenate(found)
    n_pairs = max(1, int(n_partners.sum()) // 2)
    standing = 2 * ndtr(-np.abs(z)) * n_pairs <= _CANDIDATE_P
    strongest = np.flatnonzero(standing)[np.argsort(-np.abs(z[standing]), kind="stable")[:_CANDIDATES]]
    return n_partners, codes[strongest], z[strongest]


def _take_in_turn(
    table: _Table, design: Design, inflation: Floats, n_partners: Index, codes: Index, screened: Floats
) -> Interactions:
    """Judge candidates the strongest first, each given those taken before it.

    What those before it say of a pair is learned from some of the table's rows; what is left is summed over all.
    """
    owner, p_value = design.owner, np.ones(len(design.columns))
    n_pairs = np.bincount(owner, n_partners)  # of each column, with all its codes
    every = max(1, int(np.ceil(len(table.rows) / _CANDIDATE_ROWS)))
    root, scores = np.sqrt(table.h[::every]), _Scores(table, design, np.unique(codes))
    indicators, values = _columns_of(table, design, np.unique(codes), every)
    basis, of_basis = np.zeros((len(root), 0)), np.zeros(0)
    taken, taken_z = list[Index](), list[float]()
    for pair, z_alone in zip(codes, screened, strict=True):
        one, other = (int(code) for code in pair)
        x, v = (indicators[one], indicators[other]), (values[one], values[other])
        alone = np.column_stack([np.ones(len(root)), *x, *v, v[0] ** 2, v[1] ** 2]) * root[:, None]
        nuisance = np.column_stack([basis, alone])
        left = x[0] * x[1] * root
        share = np.linalg.lstsq(nuisance, left, rcond=1e-8)[0]
        left = left - nuisance @ share
        score = scores.of_pair(one, other) - share @ np.append(of_basis, scores.of_each(one, other))
        size = float(np.linalg.norm(left))
        if size < 1e-3 * float(np.linalg.norm(x[0] * x[1] * root)):
            continue
        z = score / (size * np.sqrt(every)) / max(inflation[one], inflation[other])
        z = float(np.sign(z) * min(abs(z), abs(z_alone)))
        p = 2 * ndtr(-abs(z))
        if p * int(n_partners.sum()) / 2 > _CANDIDATE_P:
            continue
        basis, of_basis = np.column_stack([basis, left / size]), np.append(of_basis, score / size)
        taken.append(pair)
        taken_z.append(z)
        for code in (one, other):
            p_value[owner[code]] = min(p_value[owner[code]], p * n_pairs[owner[code]])
    together = np.array(taken, np.int64).reshape(-1, 2)
    return Interactions(owner[together], together, np.array(taken_z), p_value)


class _Scores:
    """Sums of residuals over all rows of the table: of each code's indicator, value and its square, and of pairs."""

    def __init__(self, table: _Table, design: Design, codes: Index) -> None:
        Z, ones = csr_array(take_columns(design.Z, codes)[table.rows]), np.ones(len(table.indices), np.float32)
        happens = csr_array((ones, table.indices, table.indptr), shape=(len(table.rows), design.n_codes))
        self._r, self._happens = table.r, take_columns(happens, codes).tocsc()
        self._place = {int(code): k for k, code in enumerate(codes)}
        self._each = np.stack([self._happens.T @ table.r, Z.T @ table.r, Z.power(2).T @ table.r])

    def of_each(self, one: int, other: int) -> Floats:
        """(7,) of the intercept, both indicators, both values, both squares."""
        places = [self._place[one], self._place[other]]
        return np.append(self._r.sum(), self._each[:, places])

    def of_pair(self, one: int, other: int) -> float:
        """Of the rows that have both."""
        first, second = (self._happens[:, [self._place[code]]] for code in (one, other))
        return float((first.multiply(second).T @ self._r)[0])


def _columns_of(table: _Table, design: Design, codes: Index, every: int) -> tuple[dict[int, Floats], dict[int, Floats]]:
    """Indicator and value of each of these codes, each (n_rows_used,), by code."""
    values = design.Z[table.rows[::every]][:, codes].toarray().astype(np.float64)
    indicators, place = np.zeros(values.shape), np.full(design.n_codes, -1)
    place[codes] = np.arange(len(codes))
    for line, i in enumerate(range(0, len(table.rows), every)):
        column = place[table.indices[table.indptr[i] : table.indptr[i + 1]]]
        indicators[line, column[column >= 0]] = 1
    return (
        {int(code): indicators[:, k] for k, code in enumerate(codes)},
        {int(code): values[:, k] for k, code in enumerate(codes)},
    )
