"""What the test of single columns knows beside the column: the nets' logits, and which other columns are active.

A column is active if it shows an effect of its own, beside those that show more; what active ones say is projected out
of every other (double selection: Belloni, Chernozhukov and Hansen 2014). If most columns have something in common
(jobs/data/factor.py), that is projected out too, and so is what bends with it: the square of what the nets say and its
product with what is common. A net that puts a bend together from many columns leaves its mirror image in the residuals,
which every column that bends along what is common would take for its own. Where rows are so many that the nets' errors
along single columns show as well, all columns are active, in place of what they have in common, which they span
(docs/decisions/0027-all-columns-where-rows-are-many.md). Rows of several periods have an intercept for each: a column
that most rows of a period have stands for all else that was another then.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.design import take_columns
from jobs.data.kernels import column_places
from jobs.data.split import Rows
from jobs.selection.coordinates import Coordinates, Products, Sums
from jobs.selection.held_out import HeldOut, logit_bounds, orthonormal, pooled
from jobs.selection.score_kernels import code_sums, weighted_products

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

_CANDIDATE_Z = 2.0  # of a coordinate alone, for its column to become active
_ACTIVE_COLUMNS, _EVENTS_PER_ACTIVE = 200, 10  # at most so many; at least so many rows of the rarer label for each
_PRODUCT_BYTES = 64 << 20
_ROWS_PER_CODE = 500  # of the rarer label: so many, and all columns are active in place of what they have in common


class Nuisance:
    """All held-out rows together.

    Attributes:
        sums: over them, of every code.
    """

    def __init__(
        self,
        design: Design,
        y: NDArray[np.float32],
        folds: Sequence[HeldOut],
        inflation: Floats,
        factor: Floats | None = None,
        periods: Index | None = None,
    ) -> None:
        self._design = design
        rows, said, family = pooled(folds, y)
        bounds = logit_bounds(y[rows], family)
        f = np.clip(said, *bounds)
        r, h = family.residuals(f, y[rows]), family.weights(f)
        first = np.cumsum([0, *(len(fold.rows) for fold in folds)])
        by_fold = [self._sums_by_code(rows[at:to], r[at:to], h[at:to]) for at, to in pairwise(first)]
        weights = [h[at:to].sum() for at, to in pairwise(first)]
        self._n_events = len(rows) if family.is_gaussian else int(min(y[rows].sum(), (1 - y[rows]).sum()))
        most = min(_ACTIVE_COLUMNS, self._n_events // _ROWS_PER_CODE)
        self._all_active = factor is not None and len(design.plain_codes) <= most
        parts = [np.zeros((len(rows), 0))]
        if factor is not None:
            parts.append(_with_bends(factor[rows], f) * [not self._all_active, True, True])
        if periods is not None:
            parts.append(_indicators(periods[rows]))
        common = orthonormal(np.column_stack(parts), h)
        with_common = np.zeros((design.n_codes, 2, common.shape[1]))
        for k, along in enumerate(common.T):
            with_common[:, :, k] = self._sums_by_code(rows, h * along, h)[:, [0, 3]]
        by_code, effect = np.sum(by_fold, axis=0), _mean_effect(folds, by_fold, weights)
        fold, effects = np.repeat(np.arange(len(folds)), np.diff(first)), np.stack([each.effect for each in folds])
        self.sums = Sums(rows, said, bounds, common, r, h, by_code, with_common, inflation, effect, fold, effects)

    def _sums_by_code(self, rows: Rows, r: Floats, h: Floats) -> Floats:
        Z, out = self._design.Z, np.zeros((self._design.n_codes, 5))
        code_sums(Z.indptr, Z.indices, Z.data, rows, r, h, out)
        return out

    def order_of_entry(self) -> tuple[Index, Products]:
        """Codes that stand out in the order in which forward selection takes them, and the products of the active ones.

        Active are those before the first that no longer pays for one more number (Schwarz 1978). Relatives of an active
        code would take its effect for theirs, and what they take it lacks in its own test: they are active only for
        what they show beside it.
        """
        coordinates = Coordinates(self.sums, self._design)
        strength = np.zeros(coordinates.n_codes)
        np.maximum.at(strength, coordinates.code, np.abs(coordinates.score) / coordinates.inflation)
        most = min(_ACTIVE_COLUMNS, self._n_events // _EVENTS_PER_ACTIVE, _PRODUCT_BYTES // (32 * len(strength)))
        strongest = np.argsort(-strength, kind="stable")[:most]
        always = self._design.plain_codes if self._all_active else np.zeros(0, np.int64)
        candidates = np.union1d(strongest[strength[strongest] > _CANDIDATE_Z], always)
        products = self.products(candidates)
        order, z = coordinates.order_of_entry(products)
        n_active = int(np.argmax(np.append(z, 0.0) ** 2 < np.log(len(self.sums.rows))))
        is_active = np.isin(candidates, np.append(order[:n_active], always))
        return order, Products(candidates[is_active], products.sums[is_active])

    def products(self, active: Index) -> Products:
        """Weighted products of the active columns with all columns."""
        Z, rows, h = self._design.Z, self.sums.rows, self.sums.h
        chosen = take_columns(Z, active)
        starts, entry, row = column_places(chosen.indptr, chosen.indices, rows, len(active))
        out = np.zeros((len(active), 2, 2, Z.shape[1]))
        weighted_products(starts, row, chosen.data[entry], rows, Z.indptr, Z.indices, Z.data, h, out)
        return Products(active, out)


def _with_bends(factor: Floats, f: Floats) -> Floats:
    """(n, 3) the factor, and what of second order goes with it and the logits f."""
    factor, f = ((each - each.mean()) / max(float(each.std()), 1e-300) for each in (factor, f))
    return np.column_stack([factor, f**2, f * factor])


def _indicators(period: Index) -> Floats:
    """(n, n_periods - 1) of all periods but the first."""
    return np.asarray(period[:, None] == np.unique(period)[1:], np.float64)


def _mean_effect(folds: Sequence[HeldOut], sums_by_code: Sequence[Floats], weights: Sequence[Floats]) -> Floats:
    """(n_codes,) the nets' linear effects, each fold weighted by what it knows of the code."""
    known, effect = np.zeros(len(folds[0].effect)), np.zeros(len(folds[0].effect))
    for fold, sums, weight in zip(folds, sums_by_code, weights, strict=True):
        _, hz, hzz, _, _ = sums.T
        variance = np.maximum(hzz - hz**2 / weight, 0)
        known += variance
        effect += variance * fold.effect
    return np.divide(effect, known, out=effect, where=known > 0)
