"""The logits that the tests start from: the nets' own, brought closer to the truth along active columns.

A column is active if it shows an effect of its own, beside those that show more. The linear effects of all others are
taken out of the logits; those of the active ones, through value and presence, are fitted to the held-out rows by Newton
steps under a weak prior (double selection: Belloni, Chernozhukov and Hansen 2014).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.design import take_columns
from jobs.data.kernels import column_places
from jobs.data.split import Rows
from jobs.selection.coordinates import Coordinates, Products, Sums
from jobs.selection.held_out import HeldOut, logit_bounds
from jobs.selection.score_kernels import add_effects, code_sums, weighted_products

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

_CANDIDATE_Z, _ACTIVE_Z = 2.0, 1.75  # of a coordinate alone, and beside the active ones, for its column to be active
_ACTIVE_COLUMNS, _EVENTS_PER_ACTIVE = 200, 10  # at most so many; at least so many rows of the rarer label for each
_PRODUCT_BYTES = 64 << 20


class Nuisance:
    """The logits of all held-out rows, brought closer to the truth along the active columns."""

    def __init__(self, design: Design, y: NDArray[np.float32], folds: Sequence[HeldOut]) -> None:
        self._design, self._y, self._folds = design, y, folds
        self._rows = np.concatenate([fold.rows for fold in folds])
        self._f = np.concatenate([fold.f for fold in folds])
        self._family = folds[0].family
        self._bounds = logit_bounds(y[self._rows], self._family)
        self._effect = np.zeros((design.n_codes, 2))
        self._effect[:, 0] = self._mean_effect()

    def _mean_effect(self) -> Floats:
        """(n_codes,) the nets' linear effects, each fold weighted by what it knows of the code."""
        known, effect = np.zeros(self._design.n_codes), np.zeros(self._design.n_codes)
        for fold in self._folds:
            h = self._family.weights(np.clip(fold.f, *self._bounds))
            _, hz, hzz, _, _ = self._sums_by_code(fold.rows, np.zeros(len(h)), h).T
            variance = np.maximum(hzz - hz**2 / h.sum(), 0)
            known += variance
            effect += variance * fold.effect
        return np.divide(effect, known, out=effect, where=known > 0)

    def _sums_by_code(self, rows: Rows, r: Floats, h: Floats) -> Floats:
        Z, out = self._design.Z, np.zeros((self._design.n_codes, 5))
        code_sums(Z.indptr, Z.indices, Z.data, rows, r, h, out)
        return out

    def sums(self) -> Sums:
        """All sums at the present logits."""
        r, h = self._residuals_and_weights()
        return Sums(self._rows, self._f, self._bounds, r, h, self._sums_by_code(self._rows, r, h), self._effect)

    def _residuals_and_weights(self) -> tuple[Floats, Floats]:
        f = np.clip(self._f, *self._bounds)
        return self._family.residuals(f, self._y[self._rows]), self._family.weights(f)

    def coordinates(self) -> Coordinates:
        """All coordinates at the present logits."""
        sums = self.sums()
        return Coordinates(sums, self._design.starts[: self._design.n_numeric], self._design.owner)

    def silence_others(self) -> Index:
        """Take the linear effects of columns that show none of their own out of the logits; return the active codes.

        Each is noise, but all together they predict every column a little, on other rows, and so widen the null by the
        number of columns over the number of rows. Relatives of an active column would take its effect for theirs, and
        what they take it lacks in its own test: they are active only for what they show beside it.
        """
        coordinates = self.coordinates()
        strength = np.zeros(coordinates.n_codes)
        np.maximum.at(strength, coordinates.code, np.abs(coordinates.score))
        n_events = len(self._rows)
        if not self._family.is_gaussian:
            n_events = int(min(self._y[self._rows].sum(), (1 - self._y[self._rows]).sum()))
        most = min(_ACTIVE_COLUMNS, n_events // _EVENTS_PER_ACTIVE, _PRODUCT_BYTES // (32 * coordinates.n_codes))
        strongest = np.argsort(-strength, kind="stable")[:most]
        candidates = np.sort(strongest[strength[strongest] > _CANDIDATE_Z])
        active = np.sort(coordinates.order_of_entry(self.products(candidates), _ACTIVE_Z))
        first, means = 0, self._means()
        for fold in self._folds:
            silent = np.column_stack([-fold.effect, np.zeros(len(fold.effect))])
            silent[active] = 0
            self._add(fold.rows, self._f[first : first + len(fold.rows)], silent, means)
            first += len(fold.rows)
        is_active = np.isin(np.arange(len(self._effect)), active)
        self._effect *= is_active[:, None]
        return active

    def _means(self) -> Floats:
        """(n_codes, 2) weighted means of value and presence."""
        sums = self.sums()
        return sums.by_code[:, [1, 4]] / sums.h.sum()

    def _add(self, rows: Rows, f: Floats, effect: Floats, means: Floats) -> None:
        """Add effects around their means: columns far from zero would shift all logits."""
        Z = self._design.Z
        f -= float((effect * means).sum())
        add_effects(Z.indptr, Z.indices, Z.data, rows, effect, f)

    def products(self, active: Index) -> Products:
        """Weighted products of the active columns with all columns, at the present logits."""
        Z, h = self._design.Z, self.sums().h
        chosen = take_columns(Z, active)
        starts, entry, row = column_places(chosen.indptr, chosen.indices, self._rows, len(active))
        out = np.zeros((len(active), 2, 2, Z.shape[1]))
        weighted_products(starts, row, chosen.data[entry], self._rows, Z.indptr, Z.indices, Z.data, h, out)
        return Products(active, out)

    def refit(self, active: Index) -> None:
        """One Newton step of the effects of the active columns, and of the intercept."""
        coordinates = self.coordinates()
        step = coordinates.newton_step(self.products(active))
        self._effect += step
        self._add(self._rows, self._f, step, self._means())
        r, h = self._residuals_and_weights()
        self._f += float(r.sum() / h.sum())
