"""Real tables that are problems of their own, through the whole of `winnow run`, against published or simple figures.

    python -m benchmarks.problems                      all of them; some minutes
    python -m benchmarks.problems --only helpdesk

Needs ../shared/data. Prints a table, and writes benchmarks/PROBLEMS.md.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd

DATA = Path(__file__).parents[2] / "shared" / "data"
HERE = Path(__file__).resolve().parent
WINNOW = Path(sys.executable).parent / "winnow"


@dataclass(frozen=True)
class Case:
    """One real problem.

    Attributes:
        make: writes the drop into a folder.
        problem: what stands in the problem file beside its name and places.
        metric: that is compared, on test rows.
        wanted: what it should be, or the name of the order of items that it should be above.
        source: of that figure, or the protocol.
    """

    make: Callable[[Path], None]
    problem: str
    metric: str
    wanted: float | str
    source: str


def _helpdesk(folder: Path) -> None:
    """Activities by case; the split is made in SQL."""
    events = pd.read_parquet(DATA / "events_helpdesk.parquet")
    renamed = events.rename(
        columns={"CaseID": "session_id", "ActivityID": "current_state", "CompleteTimestamp": "timestamp"}
    )
    renamed = renamed.assign(
        current_state="a" + renamed["current_state"].astype(str), timestamp=renamed["timestamp"].astype(str)
    )
    renamed.assign(next_state=None, page_depth=0, search_count=0, cart_item_count=0).to_parquet(
        folder / "events.parquet"
    )


_HELPDESK = f"""\
prepare: {HERE / "helpdesk.sql"}
task: multiclass
table:
  id: step_id
  label: next_state
  group: session_id
  split: side
  categorical: [state, prev1, prev2, pair, triple]
  sequences: {{path: {{delimiter: " "}}}}
split: {{by: group}}
scale: {{log1p: false}}
"""


def _split_table(name: str, label: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        table = pd.read_parquet(DATA / f"{name}.parquet").rename(columns={label: "label"})
        if "split" in table:
            names = {"val": "valid", "validation": "valid"}
            table["split"] = table["split"].astype(str).replace(names)
        table.assign(row=np.arange(len(table))).to_parquet(folder / "part-0.parquet", index=False)

    return make


def _frappe(folder: Path) -> None:
    """The published halves: the validation rows train here (an eighth of them stops the training), test is test."""
    table = pd.read_parquet(DATA / "frappe_valid_test.parquet")
    is_test = table["split"].astype(str).str.startswith("test").to_numpy()
    stops = np.random.default_rng(0).random(len(table)) < 1 / 8
    table["split"] = np.where(is_test, "test", np.where(stops, "valid", "train"))
    table.assign(row=np.arange(len(table))).to_parquet(folder / "part-0.parquet", index=False)


def _plays(folder: Path) -> None:
    pd.read_parquet(DATA / "events_dodge_the_mud.parquet").to_parquet(folder / "plays.parquet")


_PLAYS = f"""\
prepare: {HERE / "plays.sql"}
table: {{id: play_id, label: ends, group: player}}
split: {{by: group, test: 0.25}}
"""


def _california(folder: Path) -> None:
    """The published training and validation rows; a tenth of the former stops the training, the latter are test."""
    with np.load(DATA / "california_train_valid.npz") as held:
        X, y = (np.concatenate([held[f"{what}_train"], held[f"{what}_val"]]) for what in ("X_num", "y"))
        n_train = len(held["y_train"])
    side = np.where(np.random.default_rng(0).random(len(y)) < 1 / 10, "valid", "train").astype(object)
    side[n_train:] = "test"
    table = pd.DataFrame(X.astype(np.float64), columns=[f"x{k}" for k in range(X.shape[1])])
    table.assign(label=y.astype(np.float64), split=side, row=np.arange(len(y))).to_parquet(folder / "part-0.parquet")


def _adult(folder: Path) -> None:
    table = pd.read_parquet(DATA / "adult_train.parquet")
    table.assign(row=np.arange(len(table))).to_parquet(folder / "part-0.parquet", index=False)


def _purchases(folder: Path) -> None:
    """The invoices of a shop as events; what was sent back, and what nobody is named for, is no event."""
    lines = pd.read_parquet(DATA / "online_retail_transactions.parquet")
    lines = lines[lines["CustomerID"].notna() & (lines["Quantity"] > 0)]
    events = pd.DataFrame(
        {
            "event_time": lines["InvoiceDate"],
            "event_type": "purchase",
            "product_id": lines["StockCode"].astype(str),
            "category_id": None,
            "brand": None,
            "user_id": lines["CustomerID"].astype(int),
        }
    )
    events.to_parquet(folder / "events.parquet", index=False)


_RECOMMEND = HERE.parent / "examples" / "recommend"
_PURCHASES = "".join(
    line.replace("prepare.sql", str(_RECOMMEND / "prepare.sql"))
    for line in (_RECOMMEND / "problem.yaml").read_text().splitlines(keepends=True)
    if not line.startswith(("#", "problem:", "drops:", "results:"))
)

_OWN_SPLIT = "{id: row, label: label, split: split%s}"
CASES = {
    "helpdesk": Case(_helpdesk, _HELPDESK, "accuracy", 0.71, "Tax et al. 2017, LSTM; end event not scored"),
    "churn_modelling": Case(
        _split_table("churn_modelling_split", "label"),
        "table: " + _OWN_SPLIT % ", categorical: [Gender, Geography, HasCrCard, IsActiveMember]" + "\n",
        "auc",
        0.855,
        "MLP .8492 tuned",
    ),
    "frappe": Case(
        _frappe,
        "table: "
        + _OWN_SPLIT
        % ", categorical: [user, item, daytime, weekday, isweekend, homework, cost, weather, country, city]"
        + "\nprune: {min_rows: 2}\n"
        "net: {n_factors: 16, factorise: [user, item, daytime, weekday, isweekend, homework, cost, weather, country, "
        "city]}\n",
        "auc",
        0.931,
        "logistic regression on one-hot columns; all columns factorised",
    ),
    "game_churn": Case(
        _split_table("dodge_the_mud_players", "churned"),
        "table: {id: row, label: label, ignore: [player]}\nsplit: {test: 0.25}\n",
        "auc",
        0.784,
        "HistGradientBoosting",
    ),
    "session_end": Case(_plays, _PLAYS, "auc", 0.726, "HistGradientBoosting"),
    "shoppers": Case(
        _split_table("online_shoppers_intention", "Revenue"),
        "table: {id: row, label: label, categorical: [Month, VisitorType, Weekend, OperatingSystems, "
        "Browser, Region, TrafficType]}\n"
        "split: {test: 0.25}\n",
        "auc",
        0.932,
        "HistGradientBoosting",
    ),
    "recommend": Case(
        _purchases,
        _PURCHASES,
        "hit_rate_at_10",
        "popularity",
        "the problem of examples/recommend on invoices; the last purchase of each customer among all products",
    ),
    "adult": Case(
        _adult,
        "table: {id: row, label: label, categorical: [workclass, education, marital_status, occupation, relationship, "
        "race, sex, native_country]}\nthreshold: {policy: fixed, value: 0.5}\n",
        "accuracy",
        0.857,
        "published ResNet: .8544 on rows kept apart",
    ),
    "california": Case(
        _california,
        "task: regression\nprune: {correlation: 0.99}\ntable: " + _OWN_SPLIT % "" + "\n",
        "rmse",
        0.475,
        "published ResNet: .4856 on rows kept apart; longitude and latitude correlate at -.92 and are kept",
    ),
}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(CASES), help="of %(default)s")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_name("PROBLEMS.md"), help="the file to write"
    )
    options = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"the real tables are not there: {DATA}")
    lines = [
        "| problem | metric | net (95 % interval) | linear | LightGBM | wanted | of | first columns | seconds |",
        "|---" * 9 + "|",
    ]
    for name in options.only.split(","):
        lines.append(_row(name, CASES[name]))
        sys.stdout.write(lines[-1] + "\n")
        sys.stdout.flush()
    head = (
        "# Real problems\n\nWritten by `python -m benchmarks.problems`: `winnow run`, "
        "with its defaults but for what `benchmarks/problems.py` says of a case.\n\n"
    )
    options.output.write_text(head + "\n".join(lines) + "\n")


def _row(name: str, case: Case) -> str:
    with TemporaryDirectory(prefix="winnow-problem-") as home:
        drop = Path(home, "drop")
        drop.mkdir()
        case.make(drop)
        (drop / "_SUCCESS").touch()
        problem = Path(home, "problem.yaml")
        problem.write_text(f"problem: {name.replace('_', '-')}\ndrops: x\nresults: y\n{case.problem}")
        begun = monotonic()
        command = [
            str(WINNOW),
            "run",
            str(drop),
            "--problem",
            str(problem),
            "--results",
            str(Path(home, "results")),
            "--json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        if done.returncode:
            sys.exit(f"{name}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        found: dict[str, Any] = json.loads(done.stdout)
    test, ranking = found["metrics"]["test"], found["metrics"].get("ranking", {}).get("metrics", {})
    net = ranking["net"][case.metric] if ranking else test["net"][case.metric]
    linear = next(values for model, values in test.items() if model.endswith("_regression"))
    linear = (ranking["linear"] if ranking else linear)[case.metric]["value"]
    trees = "" if ranking else f"{test['lightgbm'][case.metric]['value']:.4f}"
    wanted = f"{'<=' if case.metric == 'rmse' else '>='} {case.wanted}"
    if isinstance(case.wanted, str):
        mse = ", ".join(f"{model} {values['mse']['value']:.3f}" for model, values in test.items())
        wanted = f"> {ranking[case.wanted][case.metric]['value']:.4f}, {case.wanted} (test mse: {mse})"
    top = ", ".join(row["feature"] + "".join(f" [{flag}]" for flag in row["flags"]) for row in found["top"][:3])
    cells = (
        name,
        case.metric,
        f"{net['value']:.4f} [{net['low']:.3f} {net['high']:.3f}]",
        f"{linear:.4f}",
        trees,
        wanted,
        case.source,
        top,
        f"{monotonic() - begun:.0f}",
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
