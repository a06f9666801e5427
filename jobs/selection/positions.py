"""What each position of a sequence says: attributions by place, for columns whose order is read.

An item of a row is explained against a row in which nothing happened (explain_from_zero in attribution.py): its part of
the mean of the items' codes, and its part of what the encoder says. The items of a row, the code of its length and what
the encoder says of as many unknown items add up to the attribution of the column.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.data.items import Ordered
from jobs.data.split import Rows
from jobs.net.codes import codes_of
from jobs.net.encoders import explain_items
from jobs.net.paths import path_gradients
from jobs.net.threads import side_by_side
from jobs.selection.crossfit import Ensemble, Fold

Floats = NDArray[np.float64]

_NODES = 16  # inside an encoder, which bends more than a body


@dataclass(frozen=True, slots=True)
class Positions:
    """The positions of one column.

    Attributes:
        column: its name.
        rows: (n_positions,) explained rows that have so many items; position 0 is the last item of a row.
        mean_abs: (n_positions,) mean |phi| over these rows, logits; of several classes the sum of their means.
    """

    column: str
    rows: NDArray[np.int64]
    mean_abs: Floats


def explain_positions(
    ensemble: Ensemble,
    ordered: Sequence[Ordered],
    explained: Sequence[Rows],
    *,
    nodes: int,
    threads: int,
    on_fold: Callable[[], object],
) -> list[Positions]:
    """Explain held-out rows, each by the net that never saw it.

    Args:
        ensemble: the cross-fitted nets.
        ordered: the columns whose order they read.
        explained: of each fold, as in summary.py.
        nodes: of the quadrature.
        threads: folds that are explained at a time.
        on_fold: called after each fold, and may raise to abandon.
    """
    n_folds = len(ensemble.folds)

    def gather(number: int) -> list[tuple[NDArray[np.int64], Floats]]:
        fold, rows = ensemble.folds[number], explained[number]
        sums = [_sums(fold, each, rows, nodes, ensemble.task.n_outputs) for each in ordered]
        on_fold()
        return sums

    found: list[Positions] = []
    for each, of_folds in zip(ordered, zip(*side_by_side(gather, range(n_folds), threads), strict=True), strict=False):
        counts = np.sum([own for own, _ in of_folds], axis=0)
        sums = np.sum([own for _, own in of_folds], axis=0)
        there = counts > 0
        found.append(Positions(each.name, counts[there], sums[there] / counts[there]))
    return found


def _sums(fold: Fold, ordered: Ordered, rows: Rows, nodes: int, n_outputs: int) -> tuple[NDArray[np.int64], Floats]:
    """(max_length,) rows that have each position, and the sum of |phi| over them and the outputs."""
    back = _back(ordered, rows)
    sums = np.zeros(ordered.max_length)
    for output in range(n_outputs):
        phi = item_attributions(fold, ordered, rows, nodes, output)
        sums += np.bincount(back, np.abs(phi), minlength=ordered.max_length)
    return np.bincount(back, minlength=ordered.max_length), sums


def item_attributions(fold: Fold, ordered: Ordered, rows: Rows, nodes: int, output: int = 0) -> Floats:
    """Return the attribution of each item of those rows, row after row, the oldest first, logits."""
    net, Z = fold.net.of_output(output), fold.design.Z
    zero = np.zeros((1, net.W.shape[1]), np.float32)
    slope = path_gradients(net.body, codes_of(Z, rows, net.W), zero, nodes)[:, 0]  # (n, d)
    lengths = np.diff(ordered.indptr)[rows]
    row, at = np.repeat(np.arange(len(rows)), lengths), _places(ordered, rows)
    (codes,) = fold.design.codes_of([ordered.name])
    of_item = codes[ordered.items[at] - 1]
    shares = (np.einsum("ij,ij->i", net.W[of_item], slope[row]) + net.linear.w[of_item]) / lengths[row]
    learned = codes[-fold.encoders[ordered.name].shape.d_out :]
    worth = slope @ net.W[learned].T + net.linear.w[learned]  # (n, d_out)
    said = explain_items(fold.encoders[ordered.name], ordered, rows, worth.astype(np.float32), _NODES)
    return np.asarray(shares + said, np.float64)


def _places(ordered: Ordered, rows: Rows) -> NDArray[np.int64]:
    """Where the items of those rows stand, row after row."""
    lengths = np.diff(ordered.indptr)[rows]
    return np.repeat(ordered.indptr[rows + 1], lengths) - 1 - _back(ordered, rows)


def _back(ordered: Ordered, rows: Rows) -> NDArray[np.int64]:
    """How many items of its row come after each item."""
    lengths = np.diff(ordered.indptr)[rows]
    return np.repeat(np.cumsum(lengths), lengths) - 1 - np.arange(int(lengths.sum()))
