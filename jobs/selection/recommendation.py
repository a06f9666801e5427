# pyright: reportUnknownMemberType=false
# torch leaves from_numpy untyped.
"""How well items are ranked for those who wanted them: hit rate and NDCG at k, beside what is popular.

Every item of the training and validation rows is a candidate, but for those that the same user wanted there: no sample
of candidates, which would change the order of models (Krichene and Rendle 2020). Because a code is a sum over columns,
an item costs one addition and one pass of the body, not a row of the design.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from jobs.data.dataset import Categories, Design
from jobs.data.split import Rows, sample_rows
from jobs.net.codes import Matrix, codes_of
from jobs.net.linear import LinearModel
from jobs.net.threads import side_by_side
from jobs.selection.bootstrap import Estimate, estimates
from jobs.selection.crossfit import Ensemble, Fold

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who wants what.

    Attributes:
        user: for whom items are ranked.
        item: what is ranked.
        belonging: the columns of the design that belong to the item, its own among them.
        is_wanted: (n_rows,) bool; the other rows say only what was not wanted.
    """

    user: Categories
    item: Categories
    belonging: tuple[str, ...]
    is_wanted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ranked:
    """How well items are ranked.

    Attributes:
        at: how many are shown.
        n_rows: judged test rows; each wanted one item.
        n_items: candidates.
        metrics: model -> metric.
    """

    at: int
    n_rows: int
    n_items: int
    metrics: dict[str, dict[str, Estimate]]


def judged_rows(wanted: Wanted, test: Rows) -> int:
    """Return how many of the test rows judge."""
    return min(MOST_ROWS, int((wanted.is_wanted[test] & (wanted.item.codes[test] >= 0)).sum()))


def rank_items(
    wanted: Wanted,
    design: Design,
    ensemble: Ensemble,
    linear: LinearModel,
    *,
    known: Rows,
    test: Rows,
    at: int,
    seed: int,
    threads: int,
    on_rows: Callable[[int], None],
) -> Ranked | None:
    """Rank all items that `known` rows have for the users of test rows who wanted one.

    Args:
        wanted: who wants what.
        design: input of the linear model.
        ensemble: whose order is judged, "net" in the result, beside "popularity": the number of `known` rows on which
            an item was wanted.
        linear: whose order is judged too, "linear".
        known: training and validation rows; their items are the candidates.
        test: rows that judge; at most MOST_ROWS of those on which something was wanted, drawn by `seed`.
        at: how many items are shown.
        seed: of the drawn rows and of the intervals.
        threads: nets that rank at a time.
        on_rows: called with the number of rows that a net has finished; may raise to abandon.

    Returns:
        None if nothing was wanted on a test row.
    """
    known, test = (rows[wanted.item.codes[rows] >= 0] for rows in (known, test))  # null is no item
    rows = sample_rows(np.random.default_rng(seed), test[wanted.is_wanted[test]], MOST_ROWS)
    if not len(rows):
        return None
    items, shown_on = np.unique(wanted.item.codes[known], return_index=True)
    candidates = _Candidates(items, known[shown_on], wanted, known)

    def of_fold(fold: Fold) -> Matrix:
        """(n_rows, n_items) calibrated logits."""
        score = _scorer(fold, wanted.belonging, candidates.rows)
        out = np.empty((len(rows), len(items)), np.float32)
        for k, row in enumerate(rows):
            out[k] = fold.calibration.apply(score(row))
            on_rows(1)
        return out

    of_nets = np.mean(np.stack(side_by_side(of_fold, ensemble.folds, threads)), axis=0)
    of_linear = _linear_scores(linear, design.Z, _codes_of(design, wanted.belonging), candidates.rows)
    scores = {
        "net": of_nets,
        "linear": np.broadcast_to(of_linear, of_nets.shape),
        "popularity": np.broadcast_to(candidates.popularity, of_nets.shape),
    }
    metrics = {model: _metrics(candidates.ranks(rows, own), at, seed) for model, own in scores.items()}
    return Ranked(at, len(rows), len(items), metrics)


class _Candidates:
    """All items of the known rows, and who wanted which of them there.

    Attributes:
        rows: (n_items,) a known row of each.
        popularity: (n_items,) known rows on which it was wanted.
    """

    def __init__(self, items: NDArray[np.int32], rows: Rows, wanted: Wanted, known: Rows) -> None:
        self._place = {int(item): k for k, item in enumerate(items)}
        self._wanted, self.rows = wanted, rows
        known = known[wanted.is_wanted[known]]
        place = np.searchsorted(items, wanted.item.codes[known])
        self.popularity = np.bincount(place, minlength=len(items)).astype(np.float64)
        n_users = len(wanted.user.levels) + 1  # null is a user too
        ones = np.ones(len(known), np.float32)
        self._had = csr_array((ones, (wanted.user.codes[known] + 1, place)), shape=(n_users, len(items)))

    def ranks(self, rows: Rows, scores: NDArray[np.floating]) -> Floats:
        """(n_rows,) the rank of each row's item by its line of `scores`, (n_rows, n_items)."""
        return np.array([self._rank(row, own) for row, own in zip(rows, scores, strict=True)])

    def _rank(self, row: int, scores: NDArray[np.floating]) -> float:
        """How many candidates stand before the item of this row; of equals one half. Infinite if it is no candidate."""
        own = self._place.get(int(self._wanted.item.codes[row]))
        if own is None:
            return np.inf
        user = int(self._wanted.user.codes[row]) + 1
        had = self._had.indices[self._had.indptr[user] : self._had.indptr[user + 1]]
        candidate = np.ones(len(scores), np.bool_)
        candidate[had] = False
        candidate[own] = False
        others = scores[candidate]
        mine = scores[own]
        return float((others > mine).sum() + (others == mine).sum() / 2)


def _scorer(fold: Fold, belonging: Sequence[str], shown: Rows) -> Callable[[int], Floats]:
    """Return what gives (n_items,) logits of all items for the user of a row."""
    net, Z, belongs = fold.net, fold.design.Z, _codes_of(fold.design, belonging)
    of_items, of_rest = _split(np.column_stack([net.W, net.linear.w]), belongs)  # the linear model is a last coordinate
    item_codes = codes_of(Z, shown, of_items)

    def score(row: int) -> Floats:
        h = item_codes + codes_of(Z, np.array([row]), of_rest)
        with torch.inference_mode():
            deep = net.body(torch.from_numpy(h[:, :-1])).numpy().astype(np.float64)
        return deep + h[:, -1] + float(net.linear.b)

    return score


def _codes_of(design: Design, columns: Sequence[str]) -> Index:
    return np.concatenate([np.zeros(0, np.int64), *design.codes_of(columns)])


def _linear_scores(linear: LinearModel, Z: csr_array, belongs: Index, shown: Rows) -> Floats:
    """(n_items,) what the linear model gives each item; what it gives a user is the same for all."""
    return codes_of(Z, shown, _split(linear.w[:, None], belongs)[0])[:, 0].astype(np.float64)


def _split(W: Matrix, belongs: Index) -> tuple[Matrix, Matrix]:
    """Return W with the codes of an item alone, and with the others alone."""
    of_items, of_rest = np.zeros_like(W), W.copy()
    of_items[belongs], of_rest[belongs] = W[belongs], 0
    return of_items, of_rest


def _metrics(ranks: Floats, at: int, seed: int) -> dict[str, Estimate]:
    hit = (ranks < at).astype(np.float64)
    gain = np.where(ranks < at, 1 / np.log2(np.minimum(ranks, at) + 2), 0.0)

    def mean(weight: Floats) -> dict[str, float]:
        total = float(weight.sum())
        names = (f"hit_rate_at_{at}", hit), (f"ndcg_at_{at}", gain)
        return {name: float(weight @ values) / total if total else float("nan") for name, values in names}

    return estimates(mean, len(ranks), seed)
