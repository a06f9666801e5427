"""What of a column is tested: its value, whether it happened at all, bends of a common one, each level of a category.

And the projections of these on the coordinates of other columns: dense algebra on sums over rows; no row is seen here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.split import Rows

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

_DENSE = 0.95  # a column with a larger share of non-zeros has no presence to speak of
_RIDGE = 1e-3  # of a projection, in units of a correlation
_LEAST_OWN = 0.01  # share of a coordinate's variance that its relatives must leave; below it nothing can be said of it


@dataclass(frozen=True, slots=True)
class Sums:
    """Weighted sums over all held-out rows.

    Attributes:
        rows, f, r, h: (n,) positions, logits, residuals, weights; r and h at logits no further out than `bounds`.
        bounds: least and greatest logit.
        common: (n, n_common) what most columns have in common, first, and its bends, and periods (nuisance.py);
            orthonormal and of mean 0, sums weighted by h.
        by_code: (n_codes, 5) sums over entries z of r z, h z, h z^2, r, h.
        with_common: (n_codes, 2, n_common) the same of h common z, h common.
        inflation: (n_codes, 2) of the standard deviation of value and presence of each code (dependence.py).
        effect: (n_codes,) what f holds of each code, per unit of its value, in the mean over rows.
        fold: (n,) which net f is of.
        effect_by_fold: (n_folds, n_codes) what each of them holds.
    """

    rows: Rows
    f: Floats
    bounds: tuple[float, float]
    common: Floats
    r: Floats
    h: Floats
    by_code: Floats
    with_common: Floats
    inflation: Floats
    effect: Floats
    fold: Index
    effect_by_fold: Floats


@dataclass(frozen=True, slots=True)
class Products:
    """Weighted products of the active columns with all columns.

    Attributes:
        active: (n_active,) codes, ascending.
        sums: (n_active, 2, 2, n_codes) sum over rows of h x y: value or presence of the active code, then of every
            code.
    """

    active: Index
    sums: Floats


class Coordinates:
    """Scores and variances of all coordinates, in units of each one's standard deviation.

    Attributes:
        code: (n_coordinates,) of Z; values first, then presences.
        deviation, mean: (n_coordinates,) with weights h; the deviation is of the sum over rows, beyond what is common.
        loading: (n_coordinates, n_common) on what is common.
        inflation: (n_coordinates,) of the standard deviation of the score, since rows are not independent.
        own_share: (n_coordinates,) share of the variance that is left by the projection.
        score: (n_coordinates,) of the label without the column's own effect, after the projection.
    """

    def __init__(self, sums: Sums, design: Design) -> None:
        numbers, owner = design.starts[: design.n_numeric], design.owner
        rz, hz, hzz, r, h = sums.by_code.T
        total = sums.h.sum()
        varies = hzz * h > hz**2 * (1 + 1e-6)  # a binary column is its presence
        present = numbers[varies[numbers] & (h[numbers] < _DENSE * total)]
        n = len(hz)
        self.n_codes, self.owner = n, owner
        self.code = np.concatenate([np.arange(n), present])
        self.is_presence = np.arange(len(self.code)) >= n
        self.inflation = sums.inflation[self.code, self.is_presence.astype(np.int64)]
        self.mean = np.concatenate([hz, h[present]]) / total
        of_value, of_presence = sums.with_common[:, 0], sums.with_common[:, 1]
        self.loading = np.concatenate([of_value, of_presence[present]])
        own_variance = np.concatenate([hzz, h[present]]) - self.mean**2 * total
        variance = own_variance - (self.loading**2).sum(axis=1)
        self.deviation = np.sqrt(np.maximum(variance, 1e-12 * total))
        counted = np.concatenate([rz, r[present]]) - self.mean * sums.r.sum() - self.loading @ (sums.r @ sums.common)
        self.raw_score = counted / self.deviation
        self.effect = np.where(self.is_presence, 0.0, sums.effect[self.code] * self.deviation)
        with_value = np.append(hzz, hz[present]) - self.mean * hz[self.code]  # weighted product with the own value
        with_value -= (self.loading * of_value[self.code]).sum(axis=1)
        self.with_value = with_value / (self.deviation * self.deviation[self.code])
        self.own_share = np.ones(len(self.code))
        self.score = self.raw_score + self.with_value * self.effect[self.code]
        self.total = total
        least = np.maximum(_LEAST_OWN * own_variance, 1e-9 * np.concatenate([hzz, h[present]]))
        self._varies = (h[self.code] > 0) & (variance > least)

    def _correlations(self, products: Products) -> tuple[Index, Floats]:
        """The coordinates of the active codes, and (n_of_these, n_coordinates) their weighted correlations with all."""
        a = np.flatnonzero(np.isin(self.code, products.active))
        line, kind = np.searchsorted(products.active, self.code[a]), self.is_presence.astype(np.int64)
        raw = products.sums[line, kind[a]][:, kind, self.code]
        covariance = raw - np.outer(self.mean[a], self.mean) * self.total - self.loading[a] @ self.loading.T
        return a, covariance / (self.deviation[a][:, None] * self.deviation)

    def project(self, products: Products) -> Floats:
        """Return (n_coordinates,) z, and set own_share and score: without what active codes of other columns say.

        Of the label without the column's own effect; of a column of several codes, which may cancel, if it is active.
        """
        a, R = self._correlations(products)
        inverse = np.asarray(np.linalg.inv(R[:, a] + _RIDGE * np.eye(len(a))), np.float64)
        column = self.owner[self.code]
        others = np.flatnonzero(~np.isin(column, column[a]))
        G, code = self._leave(others, a, R, inverse, self.raw_score), self.code[others]
        effect = np.where(np.bincount(self.owner)[column[others]] == 1, self.effect[code], 0.0)
        self.score[others] += effect * (self.with_value[others] - np.einsum("ij,ij->j", G, R[:, code]))
        for active in np.unique(column[a]):
            own, rest = np.flatnonzero(column[a] == active), np.flatnonzero(column[a] != active)
            between = inverse[np.ix_(rest, own)]
            of_rest = inverse[np.ix_(rest, rest)] - between @ np.linalg.solve(inverse[np.ix_(own, own)], between.T)
            without_own = self.raw_score + self.effect[a[own]] @ R[own]
            self._leave(np.flatnonzero(column == active), a[rest], R[rest], of_rest, without_own)
        return np.where(self.is_testable, self.score / np.sqrt(self.own_share), 0.0)

    def _leave(self, tested: Index, a: Index, R: Floats, inverse: Floats, raw_score: Floats) -> Floats:
        """Set what the coordinates a, which correlate with all as R says, leave of the tested ones.

        Returns:
            (len(a), len(tested)): the projections.
        """
        G = inverse @ R[:, tested]
        self.own_share[tested] = np.maximum(1 - np.einsum("ij,ij->j", R[:, tested], G), 1e-6)
        self.score[tested] = raw_score[tested] - raw_score[a] @ G
        return G

    def order_of_entry(self, products: Products) -> tuple[Index, Floats]:
        """Codes in the order in which forward selection takes them, and |z| of each beside those before it.

        Each time the one that explains most is taken. It stands for its relatives from then on, so of several that say
        the same one comes early (sweeps of the normal equations: Goodnight 1979).
        """
        a, R = self._correlations(products)
        left, matrix = R[:, a] @ self.effect[a] + self.raw_score[a], R[:, a] + _RIDGE * np.eye(len(a))
        code, order, z, is_out = self.code[a], list[int](), list[float](), np.ones(len(a), np.bool_)
        while is_out.any():
            spread = np.maximum(np.diag(matrix), _LEAST_OWN) * self.inflation[a] ** 2
            explained = np.where(is_out, left**2 / spread, -1.0)
            best = int(code[explained.argmax()])
            order.append(best)
            z.append(float(np.sqrt(explained.max())))
            for k in np.flatnonzero(code == best):
                if matrix[k, k] > _LEAST_OWN:
                    line = matrix[:, k] / matrix[k, k]
                    left, matrix = left - line * left[k], matrix - np.outer(line, matrix[k])
                is_out[k] = False
        return np.array(order, np.int64), np.array(z)

    def on_rows(self, at: int, value: Floats, common: Floats) -> Floats:
        """Return (n,) coordinate `at` of rows in which its code has these values, less its mean and what is common."""
        return (value != 0 if self.is_presence[at] else value) - self.mean[at] - common @ self.loading[at]

    def variance_elsewhere(self, at: int, x: Floats, h: Floats) -> float:
        """Return what rows other than those with values x, of `on_rows`, and weights h add to its score's variance."""
        return max(float(self.own_share[at] * self.deviation[at] ** 2 - x @ (h * x)), 0.0)

    @property
    def is_testable(self) -> NDArray[np.bool_]:
        """(n_coordinates,) whether any row has the code, and what is common and the projection have left enough."""
        return self._varies & (self.own_share > _LEAST_OWN)
