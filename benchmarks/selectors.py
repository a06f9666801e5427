# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false, reportMissingImports=false
# The peers have no types.
"""Column selectors, Winnow's and its peers', on one table: an order of the columns, and where it has one a selection.

All see the same rows of the columns that are left after Winnow's pruning, the test rows never: those that stop a
training early learn from the training rows and stop by the validation rows, the others have both to learn from. A peer
that selects does so at its own valid setting for a false discovery rate of q, or has none.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from lightgbm import Booster
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from config import Problem
from jobs.columns import prune_columns
from jobs.data.dataset import Dataset, Design
from jobs.data.split import Split, SplitPolicy, split_rows
from jobs.learn import Learned, learn
from jobs.net.linear import choose_adaptive_ridge
from jobs.observer import Silent
from jobs.selection.baselines import boost
from jobs.stages import Stages

Floats = NDArray[np.float64]

_STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
_SHAP_ROWS = 2000
_STABL_STRENGTHS, _STABL_HALVES, _STABL_LEAST = np.linspace(0.01, 1, 10), 200, 1e-5


@dataclass(frozen=True)
class Table:
    """A dataset, how Winnow splits and prunes it, and what is asked of everyone.

    Attributes:
        data, problem: as `winnow run` has them.
        split, design: of the kept columns.
        kept: positions of the design's columns among those of the dataset.
        stands_for: (n_columns of the dataset,) the kept column that stands for a pruned one, else -1.
        q: false discovery rate.
        seed: of everything random in a peer.
    """

    data: Dataset
    problem: Problem
    split: Split
    design: Design
    kept: NDArray[np.int64]
    stands_for: NDArray[np.int64]
    q: float
    seed: int

    @property
    def dense(self) -> Floats:
        """(len(split.known), n_columns) scaled rows, for methods that need no validation rows of their own."""
        return self.design.Z[self.split.known].toarray().astype(np.float64)

    @property
    def labels(self) -> Floats:
        """(len(split.known),) of them."""
        return self.data.y[self.split.known].astype(np.float64)


@dataclass(frozen=True)
class Chosen:
    """What a selector says: larger is better; None where it does not select."""

    importance: Floats
    selected: NDArray[np.bool_] | None = None


def table_of(data: Dataset, seed: int, q: float = 0.1, by: str = "row", **asks: object) -> Table:
    """Split and prune as `winnow run` does by default, with `seed` for the split."""
    problem = Problem.model_validate(
        {
            "problem": "benchmark",
            "drops": "drops/",
            "results": "results/",
            "table": {"id": "id", "label": "label"} | ({"time": "time"} if by == "time" else {}),
            "split": {"seed": seed, "by": by},
            "select": {"q": q},
            "explain": {"rows": 1000, "background": 16},
        }
        | asks
    )
    chosen = problem.split
    policy = SplitPolicy(chosen.test, chosen.valid, chosen.by, chosen.stratify, chosen.folds, chosen.seed)
    split = split_rows(data, policy)
    columns = prune_columns(data, split, problem, lambda _: None)
    pruning = columns.pruning
    return Table(data, problem, split, columns.plain, pruning.kept, pruning.stands_for, q, seed)


def winnow(table: Table) -> tuple[Chosen, Learned]:
    """The whole of `winnow run` between reading and writing, baselines and attributions included."""
    learned = learn(table.data, table.problem, 2, Stages(Silent()))
    return Chosen(-learned.selection.rank.astype(np.float64), learned.selection.selected), learned


def _booster(table: Table) -> Booster:
    split = table.split
    return boost(table.design.Z, table.data.y, split.train, split.valid, seed=table.seed, threads=2).booster


def lightgbm_gain(table: Table) -> Chosen:
    """LightGBM, early stopping; total gain of the splits of each column."""
    booster = _booster(table)
    return Chosen(np.asarray(booster.feature_importance("gain"), np.float64))


def tree_shap(table: Table) -> Chosen:
    """LightGBM, mean |TreeSHAP| of validation rows."""
    booster = _booster(table)
    rows = table.split.valid[:_SHAP_ROWS]
    return Chosen(
        np.abs(np.asarray(booster.predict(table.design.Z[rows].toarray(), pred_contrib=True)))[:, :-1].mean(0)
    )


def logistic_l2(table: Table) -> Chosen:
    """Ridge logistic regression, its strength chosen by validation loss; |coefficient| x standard deviation."""
    _, _, linear = choose_adaptive_ridge(table.design.Z, table.data.y, table.split.train, table.split.valid, rounds=1)
    return Chosen(np.abs(linear.w) * table.dense.std(axis=0))


def logistic_l1(table: Table) -> Chosen:
    """The same with the lasso's penalty (liblinear)."""
    Z, y, valid = table.design.Z, table.data.y, table.split.valid
    losses, models, spread = list[float](), list[Floats](), table.dense.std(axis=0)
    for strength in _STRENGTHS:
        model = LogisticRegression(l1_ratio=1.0, C=strength, solver="liblinear", random_state=table.seed, max_iter=200)
        model.fit(Z[table.split.train], y[table.split.train])
        p = np.clip(model.predict_proba(Z[valid])[:, 1], 1e-9, 1 - 1e-9)
        losses.append(-float(np.mean(np.where(y[valid] > 0, np.log(p), np.log(1 - p)))))
        models.append(np.abs(model.coef_[0]) * spread)
    return Chosen(models[int(np.argmin(losses))])


def permutation(table: Table) -> Chosen:
    """Permutation importance (log loss, five repeats) of LightGBM on validation rows."""
    booster = _booster(table)
    X, y = table.design.Z[table.split.valid].toarray(), table.data.y[table.split.valid]

    def score(_: object, X: Floats, y: Floats) -> float:
        p = np.clip(np.asarray(booster.predict(X)), 1e-9, 1 - 1e-9)
        return float(np.mean(np.where(y > 0, np.log(p), np.log(1 - p))))

    class Fitted:
        def fit(self) -> None: ...

    found = permutation_importance(Fitted(), X, y, scoring=score, n_repeats=5, random_state=table.seed)
    return Chosen(np.asarray(found.importances_mean, np.float64))


def boruta(table: Table) -> Chosen:
    """boruta_py with its defaults: 100 rounds, its own two corrections at alpha .05, forests of depth 5."""
    from boruta import BorutaPy  # noqa: PLC0415, an extra

    forest = RandomForestClassifier(n_jobs=2, class_weight="balanced", max_depth=5, random_state=table.seed)
    search = BorutaPy(forest, n_estimators="auto", random_state=table.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(table.dense, table.labels)
    return Chosen(-np.asarray(search.ranking_, np.float64), np.asarray(search.support_, np.bool_))


def stabl(table: Table) -> Chosen:
    """Stabl (Hedou et al. 2024, Methods): stability selection beside permuted columns, cut where fewest seem false.

    It stands in no registry, so this follows the paper, with the defaults of its authors: ten strengths of the lasso,
    classes balanced, halves of the rows, a permuted copy of each column; but 200 halves rather than 1000, by which a
    frequency is known within .035. It asks for no rate of false discoveries.
    """
    random, y = np.random.default_rng(table.seed), table.labels
    real = np.asarray(StandardScaler(with_mean=False).fit_transform(table.dense))
    both = csr_array(np.hstack([real, random.permuted(real, axis=0)]))
    chosen = np.zeros((len(_STABL_STRENGTHS), both.shape[1]))
    for _ in range(_STABL_HALVES):
        half, _ = train_test_split(np.arange(len(y)), train_size=0.5, random_state=int(random.integers(1 << 31)))
        for at, strength in enumerate(_STABL_STRENGTHS):
            lasso = LogisticRegression(l1_ratio=1.0, C=strength, solver="liblinear", class_weight="balanced")
            chosen[at] += np.abs(lasso.fit(both[half], y[half]).coef_[0]) > _STABL_LEAST
    frequency, by_chance = np.split(chosen.max(axis=0) / _STABL_HALVES, 2)
    cuts = np.arange(0, 1, 0.01)
    seem_false = [((by_chance > cut).sum() + 1) / max(1, (frequency > cut).sum()) for cut in cuts]
    cut = cuts[int(np.argmin(seem_false))] if min(seem_false) <= 1 else 1.0
    return Chosen(frequency, frequency > cut)


def knockoffs(table: Table) -> Chosen:
    """knockpy: second-order Gaussian knockoffs (equicorrelated), lasso statistic, knockoff+ at q."""
    from knockpy.knockoff_filter import KnockoffFilter  # noqa: PLC0415, an extra

    np.random.seed(table.seed)  # noqa: NPY002, knockpy has no other
    X, y = table.dense, table.labels
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    search = KnockoffFilter(ksampler="gaussian", fstat="lasso", knockoff_kwargs={"method": "equicorrelated"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = search.forward(X=X, y=y, fdr=table.q, shrinkage="ledoitwolf")
    return Chosen(np.asarray(search.W, np.float64), np.asarray(chosen) > 0)


def by_chance(table: Table) -> Chosen:
    """A random order."""
    return Chosen(np.random.default_rng(table.seed).random(len(table.design.columns)))


PEERS: dict[str, Callable[[Table], Chosen]] = {
    "LightGBM gain": lightgbm_gain,
    "TreeSHAP": tree_shap,
    "permutation": permutation,
    "logistic L2": logistic_l2,
    "logistic L1": logistic_l1,
    "boruta_py": boruta,
    "Stabl": stabl,
    "knockpy": knockoffs,
    "random": by_chance,
}
