"""Real tables: the nets beside their baselines, and what the first columns of each order are worth to plain models.

    python -m benchmarks.real                                  all tables, three seeds; half an hour
    python -m benchmarks.real --tables madelon --seeds 5

Needs ../shared/data. Writes benchmarks/REAL.md; what was measured is kept beside it, in REAL.jsonl, and not measured
again. Each seed draws another split; columns are ordered by training (and validation) rows, plain models are fitted on
the training rows and judged on the test rows.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.selectors import Chosen, Table, lightgbm_gain, logistic_l1, logistic_l2, table_of, tree_shap, winnow
from benchmarks.truth import mean_with_interval
from jobs.data.dataset import Categories, Dataset
from jobs.learn import Learned
from jobs.selection.baselines import boost

Floats = NDArray[np.float64]

DATA = Path(__file__).parents[2] / "shared" / "data"
TOP = (20, 50, 100)
_ORDERS: dict[str, Callable[[Table], Chosen]] = {
    "LightGBM gain": lightgbm_gain,
    "TreeSHAP": tree_shap,
    "logistic L2": logistic_l2,
    "logistic L1": logistic_l1,
}


@dataclass(frozen=True)
class Score:
    """One number of one table and seed.

    Attributes:
        what: "model" (AUC of a model on all columns), "top" (of a plain model on the first k), "found" (a count).
        by: the model, or the order of the columns.
        with_model: the plain model of "top", else "".
        k: how many columns; 0: all.
    """

    table: str
    seed: int
    what: str
    by: str
    with_model: str
    k: int
    value: float


def main() -> None:
    """Measure what is asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(TABLES), help="of %(default)s")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each table (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("REAL.md"), help="the file to write")
    options = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"the real tables are not there: {DATA}")
    log: Path = options.output.with_suffix(".jsonl")
    scores = [Score(**json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []
    for seed in range(options.seeds):
        for name in options.tables.split(","):
            if not any((score.table, score.seed) == (name, seed) for score in scores):
                begun, new = monotonic(), list(measure(name, seed))
                with log.open("a") as file:
                    file.writelines(json.dumps(asdict(score)) + "\n" for score in new)
                scores += new
                sys.stdout.write(f"{name}, seed {seed}: {monotonic() - begun:.0f} s\n")
                sys.stdout.flush()
            options.output.write_text(page(scores))


def measure(name: str, seed: int) -> Iterator[Score]:
    """Order the columns of one table in every way, and judge all models."""
    data = TABLES[name]()
    table = table_of(data, seed)
    chosen, learned = winnow(table)
    for model, metrics in learned.judgement.metrics["test"].items():
        yield Score(name, seed, "model", model, "", 0, metrics["auc"].value)
    yield Score(name, seed, "found", "selected", "", 0, float(learned.selection.selected.sum()))
    if name == "madelon":
        yield from _madelon(seed, table, learned)
    orders = {"winnow": chosen, "mean abs SHAP of the net": Chosen(learned.summary.mean_abs)}
    if table.design.n_numeric == len(table.design.columns):
        orders |= {order: choose(table) for order, choose in _ORDERS.items()}
        for order, found in orders.items():
            best_first = np.argsort(-found.importance, kind="stable")
            for k in TOP:
                if k < len(best_first):
                    for model, auc in _plain_models(table, np.sort(best_first[:k])):
                        yield Score(name, seed, "top", order, model, k, auc)


def _plain_models(table: Table, columns: NDArray[np.int64]) -> Iterator[tuple[str, float]]:
    """Test AUC of logistic regression and of LightGBM on some columns."""
    Z, y, split = csr_array(table.design.Z[:, columns]), table.data.y, table.split
    linear = LogisticRegression(C=1.0, max_iter=1000).fit(Z[split.train], y[split.train])
    yield "logistic regression", float(roc_auc_score(y[split.test], linear.decision_function(Z[split.test])))
    booster = boost(Z, y, split.train, split.valid, seed=table.seed, threads=2).booster
    yield "LightGBM", float(roc_auc_score(y[split.test], np.asarray(booster.predict(Z[split.test].toarray()))))


def _madelon(seed: int, table: Table, learned: Learned) -> Iterator[Score]:
    """Groups of the twenty true columns that are selected, and probes."""
    is_probe = np.asarray(np.load(DATA / "madelon.npz")["feature_is_probe"], np.bool_)
    selected = table.kept[learned.selection.selected]
    true = np.flatnonzero(~is_probe)
    r = np.abs(np.corrcoef(table.data.X[:, true].toarray().T))
    groups = {int(np.flatnonzero(line > 0.9)[0]) for line in r}  # pairs at r > .95; each named by its first column
    hit = {int(np.flatnonzero(r[np.flatnonzero(true == k)[0]] > 0.9)[0]) for k in selected if not is_probe[k]}
    yield Score("madelon", seed, "found", f"groups of {len(groups)}", "", 0, float(len(hit)))
    yield Score("madelon", seed, "found", "probes", "", 0, float(is_probe[selected].sum()))


def page(scores: list[Score]) -> str:
    """All means over seeds, as Markdown."""
    lines = [_HEAD, "", "## The nets and their baselines, test AUC, all columns", ""]
    lines += ["| table | net | logistic regression | LightGBM | selected |", "|---|---|---|---|---|"]
    names = [name for name in TABLES if any(score.table == name for score in scores)]
    for name in names:
        of_table = [score for score in scores if score.table == name]
        models = ("net", "logistic_regression", "lightgbm", "selected")
        cells = [_mean([s.value for s in of_table if s.by == model and s.k == 0]) for model in models]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    found = [score for score in scores if score.what == "found" and score.by != "selected"]
    for by in sorted({score.by for score in found}):
        lines += ["", f"Madelon, {by}: " + ", ".join(f"{score.value:.0f}" for score in found if score.by == by)]
    lines += ["", "## Plain models on the first k columns of each order, test AUC", ""]
    orders = ("winnow", *_ORDERS, "mean abs SHAP of the net")
    lines += ["| table, k, model | " + " | ".join(orders) + " |", "|---" * (len(orders) + 1) + "|"]
    totals: dict[str, list[float]] = {order: [] for order in orders}
    for name in names:
        for k in TOP:
            for model in ("logistic regression", "LightGBM"):
                of_all = [s for s in scores if (s.table, s.what, s.k, s.with_model) == (name, "top", k, model)]
                if of_all:
                    values = [[s.value for s in of_all if s.by == order] for order in orders]
                    for order, some in zip(orders, values, strict=True):
                        totals[order].append(float(np.mean(some)))
                    lines.append(f"| {name}, {k}, {model} | " + " | ".join(map(_mean, values)) + " |")
    if totals["winnow"]:
        lines.append("| **mean** | " + " | ".join(f"**{np.mean(totals[order]):.4f}**" for order in orders) + " |")
    return "\n".join(lines) + "\n"


_HEAD = """# Real tables

Written by `python -m benchmarks.real`. Means over seeds (splits), +- half of the 95 % interval over them
(Student's); without one: one split."""


_mean = partial(mean_with_interval, digits=3)


def _sparse(name: str) -> Callable[[], Dataset]:
    def load() -> Dataset:
        held = np.load(DATA / f"{name}.npz")
        shape = tuple(int(n) for n in held["shape"])
        X = csr_array((held["data"].astype(np.float32), held["indices"], held["indptr"]), shape)
        return _numeric(X, held["y"])

    return load


def _madelon_table() -> Dataset:
    held = np.load(DATA / "madelon.npz")
    return _numeric(csr_array(held["X"].astype(np.float32)), held["y"])


def _numeric(X: csr_array, y: NDArray[Any]) -> Dataset:
    X.sort_indices()
    names = tuple(f"column{k:05d}" for k in range(X.shape[1]))
    return Dataset(np.arange(X.shape[0]), X, names, (), (y > np.min(y)).astype(np.float32), ("0", "1"))


def _mixed(name: str, label: str, *, text: tuple[str, ...] = (), drop: tuple[str, ...] = ()) -> Callable[[], Dataset]:
    def load() -> Dataset:
        frame = pd.read_parquet(DATA / f"{name}.parquet").drop(columns=[*drop])
        y = frame.pop(label).to_numpy().astype(np.float32)
        is_text = [column in text or not pd.api.types.is_numeric_dtype(frame[column]) for column in frame]
        numeric = sorted(column for column, other in zip(frame, is_text, strict=True) if not other)
        categorical = sorted(column for column, other in zip(frame, is_text, strict=True) if other)
        X = csr_array(frame[numeric].to_numpy().astype(np.float32))
        return Dataset(
            np.arange(len(y)),
            X,
            tuple(numeric),
            tuple(_categories(frame, column) for column in categorical),
            y,
            ("0", "1"),
        )

    return load


def _categories(frame: pd.DataFrame, column: str) -> Categories:
    levels, codes = np.unique(frame[column].astype(str).to_numpy().astype(str), return_inverse=True)
    return Categories(column, codes.astype(np.int32), tuple(levels.tolist()))


_FRAPPE = ("user", "item", "daytime", "weekday", "isweekend", "homework", "cost", "weather", "country", "city")
TABLES: dict[str, Callable[[], Dataset]] = {
    "madelon": _madelon_table,
    "basehock": _sparse("basehock"),
    "pcmac": _sparse("pcmac"),
    "online_retail_pivot": _sparse("online_retail_pivot"),
    "twitch_de_en": _sparse("twitch_de_en"),
    "adult_train": _mixed("adult_train", "label"),
    "churn_modelling": _mixed("churn_modelling_split", "label", drop=("split",)),
    "online_shoppers": _mixed("online_shoppers_intention", "Revenue"),
    "dodge_the_mud": _mixed("dodge_the_mud_players", "churned", drop=("player",)),
    "frappe": _mixed("frappe_valid_test", "label", text=_FRAPPE, drop=("split",)),
}


if __name__ == "__main__":
    main()
