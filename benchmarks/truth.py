"""How much of what is selected is true: Winnow and its peers on tables of which the truth is known.

    python -m benchmarks.truth                                      all designs, 2,000 and 20,000 rows, ten seeds: hours
    python -m benchmarks.truth --rows 2000 --seeds 3 --only winnow
    python -m benchmarks.truth --designs plain,null --rows 20000

Writes the means with their 95 % intervals over seeds to benchmarks/TRUTH.md. One line for each design, size, seed and
method is kept beside it, in TRUTH.jsonl; those that are there are not measured again. A discovery is true if the column
is in the formula of the label, or stands for a pruned twin that is.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.metrics import roc_auc_score

from benchmarks.designs import DESIGNS, Truth
from benchmarks.selectors import PEERS, Chosen, Table, table_of, winnow
from jobs.data.dataset import Dataset

SLOW = {"boruta_py": 2000, "Stabl": 2000, "knockpy": 20_000, "permutation": 20_000}  # rows up to which a peer is run
_OURS = ("winnow", "mean abs SHAP of the net")
_METHODS = (*_OURS, *PEERS)
_FOR_NUMBERS = {*_OURS, "random"}  # the other peers are told of two classes


@dataclass(frozen=True)
class Score:
    """How a method did on one table.

    Attributes:
        selected: how many columns; None if it does not select.
        false_share: of those selected; 0 if there are none.
        power: share of the true columns that pruning leaves, the same for all methods, that were selected.
        precision: share of these among the first k, k as many as there are.
        auc, best_auc: of the nets on test rows, and of the true probability; for Winnow alone.
        is_withheld: whether a run would call nothing selected, since the nets spoil the ridges; what is selected if
            `select.with_worse_net` is set counts here.
    """

    design: str
    rows: int
    seed: int
    method: str
    seconds: float
    selected: int | None
    false_share: float | None
    power: float | None
    precision: float | None
    auc: float | None = None
    best_auc: float | None = None
    is_withheld: bool | None = None


def main() -> None:
    """Measure what is asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default=",".join(DESIGNS), help="of %(default)s")
    parser.add_argument("--rows", default="2000,20000", help="sizes (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=10, help="tables of each design and size (default: %(default)s)")
    parser.add_argument("--first-seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument("--only", default=",".join(_METHODS), help="methods, of %(default)s")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("TRUTH.md"), help="the file to write")
    options = parser.parse_args()
    log: Path = options.output.with_suffix(".jsonl")
    scores = [Score(**json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []
    done = {(score.design, score.rows, score.seed, score.method) for score in scores}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for rows in (int(text) for text in options.rows.split(",")):
            for design in options.designs.split(","):
                wanted = [m for m in options.only.split(",") if (design, rows, seed, m) not in done]
                wanted = [method for method in wanted if rows <= SLOW.get(method, rows)]
                for score in measure(design, rows, seed, wanted):
                    with log.open("a") as file:
                        file.write(json.dumps(asdict(score)) + "\n")
                    scores.append(score)
                    sys.stdout.write(_line(score) + "\n")
                    sys.stdout.flush()
                options.output.write_text(page(scores))


def measure(design: str, rows: int, seed: int, methods: list[str]) -> Iterator[Score]:
    """Make one table and let each method have it."""
    if not methods:
        return
    truth = DESIGNS[design](np.random.default_rng([seed, rows]), rows)
    methods = [method for method in methods if method in _FOR_NUMBERS or not truth.asks]
    if not methods:
        return
    table = as_table(truth, seed)
    is_true = _is_true(truth, table)
    if any(method in _OURS for method in methods):
        begun = monotonic()
        chosen, learned = winnow(table)
        seconds = monotonic() - begun
        test, y = table.split.test, table.data.y[table.split.test]
        score = replace(_score(design, rows, seed, _OURS[0], seconds, chosen, is_true), is_withheld=learned.is_withheld)
        if len(truth.probability):
            aucs = roc_auc_score(y, learned.ensemble.logits(test)), roc_auc_score(y, truth.probability[test])
            score = replace(score, auc=float(aucs[0]), best_auc=float(aucs[1]))
        yield score
        yield _score(design, rows, seed, _OURS[1], seconds, Chosen(learned.summary.mean_abs), is_true)
    for method in methods:
        if method in PEERS:
            begun = monotonic()
            chosen = PEERS[method](table)
            yield _score(design, rows, seed, method, monotonic() - begun, chosen, is_true)


def as_table(truth: Truth, seed: int) -> Table:
    """Return the table as `winnow run` would read and split it, with `seed` for the split."""
    n, p = truth.X.shape
    names = tuple(f"column{k:04d}" for k in range(p))
    time = np.arange(n) if len(truth.is_late) else None
    of_number = {"numbers": truth.y.astype(np.float64)} if truth.asks else {}
    data = Dataset(np.arange(n), truth.X, names, (), truth.y, () if truth.asks else ("0", "1"), time=time, **of_number)
    return table_of(data, seed, by="row" if time is None else "time", **truth.asks)


def _is_true(truth: Truth, table: Table) -> NDArray[np.bool_]:
    """(n_kept,) kept columns that are true or stand for one that is."""
    heads = np.where(table.stands_for >= 0, table.stands_for, np.arange(len(table.stands_for)))
    return np.isin(table.kept, heads[truth.true])


def _score(
    design: str,
    rows: int,
    seed: int,
    method: str,
    seconds: float,
    chosen: Chosen,
    is_true: NDArray[np.bool_],
) -> Score:
    k = int(is_true.sum())
    first = np.argsort(-chosen.importance, kind="stable")[:k]
    precision = float(is_true[first].mean()) if k else None
    if chosen.selected is None:
        return Score(design, rows, seed, method, seconds, None, None, None, precision)
    n, hits = int(chosen.selected.sum()), int((chosen.selected & is_true).sum())
    false_share, power = (n - hits) / max(1, n), hits / k if k else None
    return Score(design, rows, seed, method, seconds, n, false_share, power, precision)


def _line(score: Score) -> str:
    told = ", ".join(
        f"{name} {value:.3g}"
        for name in ("selected", "false_share", "power", "precision", "auc", "best_auc")
        if (value := getattr(score, name)) is not None
    )
    return f"{score.design}, {score.rows} rows, seed {score.seed}, {score.method}: {told}, {score.seconds:.1f} s"


_HEAD = """# Known truth: false discoveries, power, order

Written by `python -m benchmarks.truth`; the tables are made by benchmarks/designs.py (600 columns and more, 40 true; 20
in ten pairs for interactions; 12 of 40 for curves; 8 of 100 for active users and the numbers after it, which the peers
have no code for), the peers stand in benchmarks/selectors.py. q = .1. Means over seeds, +- half of the
95 % interval. Power: share of the true columns that pruning leaves (rare ones have rows too few: 22 of 40 at 2,000
rows). Precision: share of them among the first k, k as many as there are. A dash: the method does not select."""
_TABLE_HEAD = """
| method | seeds | selected | false discoveries | power | precision | seconds |
|---|---|---|---|---|---|---|"""


def page(scores: list[Score]) -> str:
    """The means over seeds, as Markdown."""
    lines = [_HEAD]
    for rows in sorted({score.rows for score in scores}):
        for design in DESIGNS:
            some = [score for score in scores if (score.design, score.rows) == (design, rows)]
            if some:
                lines += ["", f"## {design}, {rows:,} rows", _TABLE_HEAD, *_table_lines(some), *_remarks(some)]
    return "\n".join(lines) + "\n"


def _table_lines(scores: list[Score]) -> Iterator[str]:
    for method in _METHODS:
        some = [score for score in scores if score.method == method]
        if some:
            measures = ("selected", "false_share", "power", "precision")
            cells = [mean_with_interval([getattr(score, name) for score in some]) for name in measures]
            seconds = f"{np.median([score.seconds for score in some]):.1f}"
            yield "| " + " | ".join([method, str(len(some)), *cells, seconds]) + " |"


def _remarks(scores: list[Score]) -> Iterator[str]:
    ours = [score for score in scores if score.method == "winnow"]
    asked = [score.is_withheld for score in ours if score.is_withheld is not None]
    if sum(asked):
        yield ""
        told = "The nets are worse than their ridges, and a run withholds what it selects"
        yield f"{told}, in {sum(asked)} of {len(asked)}."
    if not ours or ours[0].auc is None:
        return
    yield ""
    of_nets, of_truth = (mean_with_interval([getattr(score, name) for score in ours]) for name in ("auc", "best_auc"))
    yield f"Test AUC of the nets {of_nets}, of the truth {of_truth}."
    if ours[0].design in {"null", "dense null"}:
        yield f"Something was selected in {sum(bool(s.selected) for s in ours)} of {len(ours)} tables."


def mean_with_interval(values: Sequence[float | None], digits: int = 2) -> str:
    """Return the mean of what is known and half of its 95 % interval (Student's)."""
    known = np.array([value for value in values if value is not None], float)
    if not len(known):
        return "-"
    if len(known) == 1:
        return f"{known[0]:.{digits}f}"
    half = float(t.ppf(0.975, len(known) - 1)) * known.std(ddof=1) / np.sqrt(len(known))
    return f"{known.mean():.{digits}f} +- {half:.{digits}f}"


if __name__ == "__main__":
    main()
