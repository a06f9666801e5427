"""Attributions of many rows as one line a column, and as the long sparse table of single values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.dataset import Design
from jobs.data.split import Rows, Split, sample_rows
from jobs.net.threads import side_by_side
from jobs.net.training import Net
from jobs.selection.attribution import Attributions, explain, explain_from_zero
from jobs.selection.crossfit import Ensemble

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contributions:
    """Single attributions, long and sparse.

    Attributes:
        row: (n_entries,) positions in the dataset.
        column: (n_entries,) kept column; -1: all columns that are zero in this row, together.
        phi: (n_entries,) float32 logits.
        output: (n_entries,) which output is explained.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    phi: NDArray[np.float32]
    output: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the attributions of a sample of held-out rows say about each column.

    Attributes:
        n_rows: explained rows.
        mean_abs: (n_columns,) mean |phi|, logits; of several classes the sum of their means.
        half_width: (n_columns,) of its 95 % interval over rows; of several classes at most so much.
        direction: (n_columns,) correlation of a column's values with its attributions; nan for all but numbers, and
            where there are several classes.
        gap_mean, gap_max: |sum of phi - (f(x) - mean f(background))| over rows, logits.
        spread: standard deviation of f(x) - mean f(background): what the gap is to be compared with.
        entries: the attributions of non-zero entries.
    """

    n_rows: int
    mean_abs: Floats
    half_width: Floats
    direction: Floats
    gap_mean: float
    gap_max: float
    spread: float
    entries: Contributions


def explained_rows(split: Split, n: int, seed: int) -> list[Rows]:
    """Draw the rows that are explained, of each fold from its held-out ones: about n in all, at least one a fold."""
    n_folds = len(split.folds)
    return [
        sample_rows(
            np.random.default_rng([seed, k]), split.held_out_rows_of(k), len(range(k, max(n_folds, n), n_folds))
        )
        for k in range(n_folds)
    ]


def explain_held_out(
    ensemble: Ensemble,
    explained: Sequence[Rows],
    *,
    background: int,
    nodes: int,
    seed: int,
    threads: int,
    on_rows: Callable[[int], None],
) -> Summary:
    """Explain a sample of the held-out rows, each by the net that never saw it, against rows that this net saw.

    Args:
        ensemble: the cross-fitted nets.
        explained: of each fold, from explained_rows.
        background: reference rows for each net; 0: the row in which nothing happened.
        nodes: of the quadrature.
        seed: of the reference rows; each fold draws its own.
        threads: folds that are explained at a time.
        on_rows: called with each number of finished rows.
    """
    n_folds, n_outputs = len(ensemble.folds), ensemble.task.n_outputs

    def gather(number: int) -> list[_Gathered]:
        fold, chosen = ensemble.folds[number], explained[number]
        reference = sample_rows(np.random.default_rng([seed, n_folds + number]), fold.seen, background)
        gathered = [_Gathered(fold.design, output) for output in range(n_outputs)]
        for of_output in gathered:
            for block in blocks(fold.net.of_output(of_output.output), fold.design, chosen, reference):
                of_output.add(block)
        return gathered

    def blocks(net: Net, design: Design, chosen: Rows, reference: Rows) -> Iterator[Attributions]:
        if len(reference):
            yield from explain(net, design, chosen, reference, nodes, on_rows)
        else:
            for block in explain_from_zero(net, design, chosen, nodes, on_rows):
                yield Attributions(block.rows, block.phi.toarray(), block.gap)

    first, *others = side_by_side(gather, range(n_folds), threads)
    for other in others:
        for one, more in zip(first, other, strict=True):
            one.merge(more)
    return _together([gathered.summary() for gathered in first])


def _together(outputs: Sequence[Summary]) -> Summary:
    """All outputs as one: rows are explained for each of them."""
    if len(outputs) == 1:
        return outputs[0]
    row, column, phi, output = (
        np.concatenate([getattr(each.entries, name) for each in outputs]) for name in ("row", "column", "phi", "output")
    )
    return Summary(
        outputs[0].n_rows,
        np.sum([each.mean_abs for each in outputs], axis=0),
        np.sum([each.half_width for each in outputs], axis=0),  # as if they went together: rows are the same
        np.full(len(outputs[0].mean_abs), np.nan),
        float(np.mean([each.gap_mean for each in outputs])),
        max(each.gap_max for each in outputs),
        float(np.mean([each.spread for each in outputs])),
        Contributions(row, column, phi, output),
    )


class _Gathered:
    """Running sums over blocks of attributions."""

    def __init__(self, design: Design, output: int) -> None:
        self._design, n = design, len(design.columns)
        self.output = output
        self.n = 0
        self.sums = np.zeros((6, n))  # |phi|, phi^2, phi, value, value^2, value x phi
        self.gaps: list[Floats] = []
        self.totals: list[Floats] = []
        self.entries: list[Contributions] = []

    def add(self, block: Attributions) -> None:
        phi = block.phi.astype(np.float64)
        self.n += len(phi)
        self.sums[:3] += np.abs(phi).sum(axis=0), (phi**2).sum(axis=0), phi.sum(axis=0)
        self.gaps.append(np.abs(block.gap))
        self.totals.append(phi.sum(axis=1) - block.gap)
        self._add_entries(block, phi)

    def _add_entries(self, block: Attributions, phi: Floats) -> None:
        stored = self._design.Z[block.rows].tocoo()
        row, code = stored.coords
        column, value = self._design.owner[code], stored.data.astype(np.float64)
        is_first = np.append(True, (np.diff(row) != 0) | (np.diff(column) != 0))[: len(row)]  # a sequence has several
        row, column, value = row[is_first], column[is_first], value[is_first]
        own = phi[row, column]
        n = self.sums.shape[1]
        self.sums[3:] += [np.bincount(column, weight, minlength=n) for weight in (value, value**2, value * own)]
        rest = phi.sum(axis=1) - np.bincount(row, own, minlength=len(phi))
        self.entries.append(
            Contributions(
                np.concatenate([block.rows[row], block.rows]),
                np.concatenate([column, np.full(len(phi), -1)]),
                np.concatenate([own, rest]).astype(np.float32),
                np.full(len(own) + len(rest), self.output),
            )
        )

    def merge(self, other: "_Gathered") -> None:
        """Take over what another fold gathered."""
        self.n += other.n
        self.sums += other.sums
        self.gaps += other.gaps
        self.totals += other.totals
        self.entries += other.entries

    def summary(self) -> Summary:
        n = max(1, self.n)
        mean_abs, squares = self.sums[:2] / n
        variance = np.maximum(squares - mean_abs**2, 0)
        gaps, totals = np.concatenate(self.gaps), np.concatenate(self.totals)
        row = np.concatenate([part.row for part in self.entries])
        column = np.concatenate([part.column for part in self.entries])
        phi = np.concatenate([part.phi for part in self.entries])
        order = np.lexsort((np.where(column < 0, len(mean_abs), column), row))
        return Summary(
            self.n,
            mean_abs,
            1.96 * np.sqrt(variance / n),
            self._direction(n),
            float(gaps.mean()),
            float(gaps.max()),
            float(totals.std()),
            Contributions(row[order], column[order], phi[order], np.full(len(row), self.output)),
        )

    def _direction(self, n: int) -> Floats:
        """Pearson correlation of value and attribution over rows; 0 where either does not vary."""
        _, squares, phi, value, value_squares, product = self.sums / n
        covariance = product - value * phi
        spread = np.sqrt(np.maximum(value_squares - value**2, 0) * np.maximum(squares - phi**2, 0))
        direction = np.divide(covariance, spread, out=np.zeros_like(spread), where=spread > 1e-12)
        direction[self._design.n_numeric :] = np.nan
        return np.clip(direction, -1, 1)
