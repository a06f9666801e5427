"""Attributions of many rows as one line a column, and as the long sparse table of single values."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.split import Rows
from jobs.selection.attribution import Attributions, explain
from jobs.selection.crossfit import Ensemble

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Values:
    """Single attributions, long and sparse.

    Attributes:
        row: (n_values,) positions in the dataset.
        column: (n_values,) kept column; -1: all columns that are zero in this row, together.
        phi: (n_values,) float32 logits.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    phi: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the attributions of a sample of held-out rows say about each column.

    Attributes:
        n_rows: explained rows.
        mean_abs: (n_columns,) mean |phi|, logits.
        half_width: (n_columns,) of its 95 % interval over rows.
        direction: (n_columns,) correlation of a column's values with its attributions; nan for categorical ones.
        gap_mean, gap_max: |sum of phi - (f(x) - mean f(background))| over rows, logits.
        spread: standard deviation of f(x) - mean f(background): what the gap is to be compared with.
        values: the attributions of non-zero entries.
    """

    n_rows: int
    mean_abs: Floats
    half_width: Floats
    direction: Floats
    gap_mean: float
    gap_max: float
    spread: float
    values: Values


def explain_held_out(
    ensemble: Ensemble,
    design: Design,
    *,
    rows: int,
    background: int,
    nodes: int,
    seed: int,
    on_rows: Callable[[int], None],
) -> Summary:
    """Explain a sample of the training rows, each by the net that never saw it, against rows that this net saw.

    Args:
        ensemble: the cross-fitted nets.
        design: their input.
        rows: how many rows at most, spread over the folds.
        background: reference rows for each net.
        nodes: of the quadrature.
        seed: of the samples.
        on_rows: called with each number of finished rows.
    """
    random = np.random.default_rng(seed)
    gathered = _Gathered(design)
    for number, fold in enumerate(ensemble.folds):
        share = len(range(number, rows, len(ensemble.folds)))
        chosen = _sample(random, fold.held_out, share)
        reference = _sample(random, fold.seen, background)
        for block in explain(fold.net, design, chosen, reference, nodes, on_rows) if len(chosen) else ():
            gathered.add(block)
    return gathered.summary()


def _sample(random: np.random.Generator, rows: Rows, size: int) -> Rows:
    return np.sort(random.choice(rows, min(size, len(rows)), replace=False))


class _Gathered:
    """Running sums over blocks of attributions."""

    def __init__(self, design: Design) -> None:
        self._design, n = design, len(design.columns)
        self._n = 0
        self._abs, self._squares, self._phi = np.zeros(n), np.zeros(n), np.zeros(n)
        self._value, self._value_squares, self._product = np.zeros(n), np.zeros(n), np.zeros(n)
        self._gaps: list[Floats] = []
        self._totals: list[Floats] = []
        self._values: list[Values] = []

    def add(self, block: Attributions) -> None:
        phi = block.phi.astype(np.float64)
        self._n += len(phi)
        self._abs += np.abs(phi).sum(axis=0)
        self._squares += (phi**2).sum(axis=0)
        self._phi += phi.sum(axis=0)
        self._gaps.append(np.abs(block.gap))
        self._totals.append(phi.sum(axis=1) - block.gap)
        self._add_entries(block, phi)

    def _add_entries(self, block: Attributions, phi: Floats) -> None:
        entries = self._design.Z[block.rows].tocoo()
        row, code = entries.coords
        column = self._design.owner[code]
        own = phi[row, column]
        n = len(self._value)
        self._value += np.bincount(column, entries.data, minlength=n)
        self._value_squares += np.bincount(column, entries.data.astype(np.float64) ** 2, minlength=n)
        self._product += np.bincount(column, entries.data * own, minlength=n)
        rest = phi.sum(axis=1) - np.bincount(row, own, minlength=len(phi))
        self._values.append(
            Values(
                np.concatenate([block.rows[row], block.rows]),
                np.concatenate([column, np.full(len(phi), -1)]),
                np.concatenate([own, rest]).astype(np.float32),
            )
        )

    def summary(self) -> Summary:
        n = max(1, self._n)
        mean_abs = self._abs / n
        variance = np.maximum(self._squares / n - mean_abs**2, 0)
        gaps, totals = np.concatenate(self._gaps), np.concatenate(self._totals)
        row = np.concatenate([values.row for values in self._values])
        column = np.concatenate([values.column for values in self._values])
        phi = np.concatenate([values.phi for values in self._values])
        order = np.lexsort((np.where(column < 0, len(mean_abs), column), row))
        return Summary(
            self._n,
            mean_abs,
            1.96 * np.sqrt(variance / n),
            self._direction(n),
            float(gaps.mean()),
            float(gaps.max()),
            float(totals.std()),
            Values(row[order], column[order], phi[order]),
        )

    def _direction(self, n: int) -> Floats:
        """Pearson correlation of value and attribution over rows; 0 where either does not vary."""
        covariance = self._product / n - self._value / n * self._phi / n
        spread = np.sqrt(
            np.maximum(self._value_squares / n - (self._value / n) ** 2, 0)
            * np.maximum(self._squares / n - (self._phi / n) ** 2, 0)
        )
        direction = np.divide(covariance, spread, out=np.zeros_like(spread), where=spread > 1e-12)
        direction[self._design.n_numeric :] = np.nan
        return np.clip(direction, -1, 1)
