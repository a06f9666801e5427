"""What it costs to explain a row of 10,000 columns, 1 % of them non-zero: Winnow beside DeepLift and TreeSHAP.

    python -m benchmarks.attribution

    winnow_zero         explain_from_zero, CSR out
    deeplift            captum's DeepLift of the same net on dense rows that are in memory already, zero baseline; the
                        best of four batch sizes
    winnow_background   explain, 64 background rows
    treeshap            LightGBM boosted on the same table, pred_contrib; dense or sparse rows, whichever is faster

All explain the same rows in the same process, on one thread and then on two; milliseconds a row are medians over the
rounds. With two threads a net explains all rows on both, or half of them on each: the better one counts. Before that
the first is compared with integrated gradients of the dense net in float64, and the additivity gaps of the first two
are measured. The nets are not trained (benchmarks.nets); the booster is.
"""

import warnings
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import median
from time import perf_counter

import lightgbm
import numpy as np
import torch
from captum.attr import DeepLift
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, csr_matrix
from torch import nn

from benchmarks.drops import INTERCEPT, TRUE_COLUMNS, plan
from benchmarks.explainers import BACKGROUND_ROWS, NODES, TABLE, THREADS, Way, stage_with
from benchmarks.nets import DenseTwin, awake_net
from benchmarks.peers.sides import split
from benchmarks.stages import stage
from jobs.data.dataset import Design
from jobs.data.split import Rows
from jobs.net.threads import compute_on, side_by_side
from jobs.net.training import Net
from jobs.selection.attribution import SparseAttributions, explain, explain_from_zero
from jobs.selection.baselines import boost

_BATCHES = (128, 256, 512, 1024)
_CHECKED_ROWS = 8
_COMMON_COLUMNS = 300
_SEED = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What is explained, and by what.

    Attributes:
        design: the table.
        rows: positions of the rows to explain.
        background: positions of the background rows.
        net, twin: one net, on sparse and on dense rows.
        booster: of LightGBM.
        X: (n, n_codes) float32, the same rows, dense.
    """

    design: Design
    rows: Rows
    background: Rows
    net: Net
    twin: nn.Module
    booster: lightgbm.Booster
    X: NDArray[np.float32]

    def part(self, rows: slice) -> "Work":
        """The same with some of the rows, and a twin of its own: DeepLift leaves its traces in the module."""
        fixed = self.design, self.rows[rows], self.background, self.net, deepcopy(self.twin), self.booster
        return Work(*fixed, self.X[rows])

    def parts(self, count: int) -> list["Work"]:
        """The same in so many parts."""
        bounds = np.linspace(0, len(self.rows), count + 1).astype(int)
        return [self.part(slice(first, last)) for first, last in pairwise(bounds)]


def main() -> None:
    """Make the table and the models, check them, measure."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1024, help="rows to explain (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each (default: %(default)s)")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning, module="captum")  # it sets hooks and says so
    with stage("table") as facts:
        Z, y = make_table()
        facts["non_zeros"] = int(Z.nnz)
    sides = split(y)
    with stage("boost") as facts:
        booster = boost(Z, y, sides.train, sides.valid, seed=_SEED, threads=max(THREADS)).booster
        facts["trees"] = booster.num_trees()
    net, rows = awake_net(Z.shape[1], _SEED), sides.test[: options.rows]
    background = np.random.default_rng(_SEED).choice(sides.train, BACKGROUND_ROWS, replace=False)
    names = tuple(f"column_{j}" for j in range(Z.shape[1]))
    design = Design(Z, names, np.arange(len(names) + 1), len(names), np.zeros(len(names), np.int64))
    work = Work(design, rows, background, net, DenseTwin(net), booster, Z[rows].toarray())
    with stage("check") as facts:
        facts.update(_check(work))
    for threads in THREADS:
        with stage(stage_with(threads)) as facts:
            facts |= {"rows": len(rows), **_measure(work, threads, options.rounds)}


def make_table() -> tuple[csr_array, NDArray[np.float32]]:
    """Counts with Zipf popularity as log1p, CSR float32, and labels (n_rows,) on which thirty common columns act."""
    random, shares = np.random.default_rng(_SEED), plan(TABLE, _SEED).share
    users = [random.choice(TABLE.rows, random.binomial(TABLE.rows, share), replace=False) for share in shares]
    starts = np.concatenate([[0], np.cumsum([len(some) for some in users])])
    values = np.log1p(random.geometric(0.5, starts[-1])).astype(np.float32)
    columns = csc_array((values, np.concatenate(users), starts), (TABLE.rows, TABLE.columns))
    Z = csr_array(columns.tocsr())
    Z.indices, Z.indptr = Z.indices.astype(np.int32), Z.indptr.astype(np.int64)
    weights = np.zeros(TABLE.columns)
    weights[random.choice(_COMMON_COLUMNS, TRUE_COLUMNS, replace=False)] = random.normal(size=TRUE_COLUMNS)
    logit = INTERCEPT + Z @ weights
    return Z, (random.random(TABLE.rows) < 1 / (1 + np.exp(-logit))).astype(np.float32)


def _check(work: Work) -> dict[str, float]:
    """How far the attributions of a net are from where they should be.

    Returns:
        max_relative_error: of Winnow's from zero against dense float64 ones, in units of the largest of their row.
        gaps: mean |sum of a row's attributions minus (f(x) - f(0))|, logits; mean_span: mean |f(x) - f(0)|.
    """
    some, reference = work.part(slice(_CHECKED_ROWS)), integrated_gradients(work.twin, work.X[:_CHECKED_ROWS], NODES)
    phi = np.vstack([block.phi.toarray() for block in _from_zero(some)])
    error = np.abs(phi - reference).max(axis=1) / np.abs(reference).max(axis=1)
    gap = np.concatenate([block.gap for block in _from_zero(work)])
    lift, span = _deeplift_sums(work), _span(work)
    return {
        "max_relative_error": float(error.max()),
        "gap_winnow_zero": float(np.abs(gap).mean()),
        "gap_deeplift": float(np.abs(lift - span).mean()),
        "mean_span": float(np.abs(span).mean()),
    }


def integrated_gradients(twin: nn.Module, X: NDArray[np.float32], nodes: int) -> NDArray[np.float64]:
    """Return (n, n_codes) integrated gradients from zero, in float64, by autograd over input space."""
    exact, x = deepcopy(twin).double(), torch.from_numpy(X).double()
    total = torch.zeros_like(x)
    for at, weight in zip(*np.polynomial.legendre.leggauss(nodes), strict=True):
        points = ((at + 1) / 2 * x).requires_grad_()
        (slope,) = torch.autograd.grad(exact(points).sum(), points)
        total += weight / 2 * slope * x
    return total.numpy()


@torch.inference_mode()
def _span(work: Work) -> NDArray[np.float64]:
    """(n,) f(x) - f(0)."""
    exact, x = deepcopy(work.twin).double(), torch.from_numpy(work.X).double()
    return (exact(x) - exact(torch.zeros_like(x[:1])))[:, 0].numpy()


def _deeplift_sums(work: Work) -> NDArray[np.float64]:
    lift = DeepLift(work.twin)
    batches = torch.from_numpy(work.X).split(_BATCHES[0])
    return np.concatenate([lift.attribute(batch).detach().double().sum(dim=1).numpy() for batch in batches])


def _from_zero(work: Work) -> list[SparseAttributions]:
    return list(explain_from_zero(work.net, work.design, work.rows, NODES, lambda _: None))


def _from_background(work: Work) -> None:
    for _ in explain(work.net, work.design, work.rows, work.background, NODES, lambda _: None):
        pass


def _deeplift(work: Work, batch: int) -> None:
    lift = DeepLift(work.twin)
    for some in torch.from_numpy(work.X).split(batch):
        lift.attribute(some)


def _treeshap_dense(work: Work, threads: int) -> None:
    work.booster.predict(work.X, pred_contrib=True, num_threads=threads)


def _treeshap_sparse(work: Work, threads: int) -> None:
    work.booster.predict(csr_matrix(work.design.Z[work.rows]), pred_contrib=True, num_threads=threads)


def _ways(threads: int) -> Mapping[Way, Mapping[str, Callable[[Work], object]]]:
    """Each way in all its variants."""
    return {
        Way.ZERO: {"": _from_zero},
        Way.DEEPLIFT: {f"batches of {batch}": partial(_deeplift, batch=batch) for batch in _BATCHES},
        Way.BACKGROUND: {"": _from_background},
        Way.TREESHAP: {
            "dense rows": partial(_treeshap_dense, threads=threads),
            "sparse rows": partial(_treeshap_sparse, threads=threads),
        },
    }


def _measure(work: Work, threads: int, rounds: int) -> dict[str, float | str]:
    """Milliseconds a row of each way, in its best variant, and which that was."""
    compute_on(threads)
    parts, found = work.parts(threads), dict[str, float | str]()
    for way, variants in _ways(threads).items():
        whole = {how: partial(run, work) for how, run in variants.items()}
        halves = {
            f"{how} on each thread".lstrip(): partial(side_by_side, run, parts, threads)
            for how, run in variants.items()
            if threads > 1 and way is not Way.TREESHAP  # LightGBM cuts the rows itself
        }
        took = {how: _median_milliseconds(run, rounds) / len(work.rows) for how, run in (whole | halves).items()}
        best = min(took, key=took.__getitem__)
        found |= {way: round(took[best], 4), f"{way}_how": best}
    return found


def _median_milliseconds(run: Callable[[], object], rounds: int) -> float:
    """Of so many rounds, after one that does not count."""
    took: list[float] = []
    for _ in range(rounds + 1):
        begun = perf_counter()
        run()
        took.append(1000 * (perf_counter() - begun))
    return median(took[1:])


if __name__ == "__main__":
    main()
