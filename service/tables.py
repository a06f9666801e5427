"""A run as tables for a terminal: the columns, best first, and the metrics beside the baselines."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import pandas as pd
from rich.table import Table
from rich.text import Text

from jobs.labels import listed

STATUS_STYLES = {
    "selected": "bold green",
    "not_selected": "dim",
    "withheld": "bold red",
    "pruned": "yellow",
    "constant": "red",
    "rare": "magenta",
}
_METRICS = (
    *("auc", "average_precision", "precision", "recall", "f1", "accuracy", "top_3_accuracy", "macro_f1", "log_loss"),
    *("rmse", "mae", "r2"),
)
_WITH_INTERVAL = ("auc", "average_precision", "rmse", "top_3_accuracy")  # the others' stand in metrics.json
_MOST_NAMED = 10
_MODELS = {
    "net": "net",
    "logistic_regression": "logistic regression",
    "linear_regression": "linear regression",
    "lightgbm": "LightGBM",
}
_NUMBERS = {
    "mean_abs_shap": ("mean |SHAP|", ".4f"),
    "share": ("share", ".1%"),
    "direction": ("direction", "+.2f"),
    "coverage": ("coverage", ".1%"),
    "gain": ("gain", ".5f"),
    "score_z": ("z", ".1f"),
    "q_value": ("q", ".3g"),
}


def features_table(features: pd.DataFrame, top: int, marks: Mapping[str, str] | None = None) -> Table:
    """Return the first rows of a feature table.

    Args:
        features: a row for every column of the drop, the best first.
        top: how many rows.
        marks: what to say beside columns; None: nothing to be said.
    """
    columns = {key: heading for key, heading in _NUMBERS.items() if key in features.columns}
    stand_ins = features["kept_for"].value_counts().to_dict()
    table = Table(title=f"The first {min(top, len(features)):,} of {len(features):,} columns", title_justify="left")
    table.add_column("rank", justify="right")
    table.add_column("feature", overflow="fold", min_width=12)
    table.add_column("status")
    for heading, _ in columns.values():
        table.add_column(heading, justify="right")
    table.add_column("twins", justify="right")
    if marks is not None:
        table.add_column("planted")
    for row in cast("list[dict[str, Any]]", features.head(top).to_dict("records")):
        table.add_row(
            _number(row["rank"], ".0f"),
            Text(str(row["feature"])),
            Text(str(row["status"]), style=STATUS_STYLES.get(str(row["status"]), "")),
            *(_number(row[key], form) for key, (_, form) in columns.items()),
            str(stand_ins.get(row["feature"], "")),
            *([Text(marks.get(str(row["feature"]), ""), style="cyan")] if marks is not None else []),
        )
    return table


def status_line(features: pd.DataFrame) -> Text:
    """Return one line that counts the columns by what became of them."""
    counts = {str(status): n for status, n in features["status"].value_counts().items()}
    sayings = {"pruned": "twins of a kept column", "withheld": "withheld: the nets are worse than a linear model"}
    parts = [
        Text(f"{counts[status]:,} {sayings.get(status, status.replace('_', ' '))}", style=style)
        for status, style in STATUS_STYLES.items()
        if status in counts
    ]
    return Text(f"{len(features):,} columns: ") + Text(", ").join(parts)


def changes_line(metrics: Mapping[str, Any]) -> Text | None:
    """Return one line on what has changed since the run before; None if nothing has."""
    changes: Mapping[str, Any] = metrics.get("changes", {})
    parts = [f"{what} {listed(changes[what], _MOST_NAMED)}" for what in ("moved", "new", "gone") if changes.get(what)]
    return Text(f"Since run {changes['since']}: {'; '.join(parts)}", style="yellow") if parts else None


def metrics_table(metrics: Mapping[str, Any]) -> Table:
    """Return the metrics on test rows, the net beside the baselines."""
    models: Mapping[str, Any] = metrics.get("test", {})
    shown = [name for name in _METRICS if any(name in model for model in models.values())]
    if "auc" in shown and "macro_f1" in shown:
        shown.remove("macro_f1")  # of two classes it stands in metrics.json
    table = Table(title="On test rows (95 % interval)", title_justify="left")
    table.add_column("model")
    for name in shown:
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    for key in _models_in_order(models):
        table.add_row(Text(_MODELS.get(key, key)), *(_interval(name, models[key].get(name)) for name in shown))
    return table


def _models_in_order(models: Iterable[str]) -> list[str]:
    order = [*_MODELS]
    return sorted(models, key=lambda name: order.index(name) if name in order else len(order))


def _interval(name: str, metric: Mapping[str, float | None] | None) -> Text:
    """Return .7697 [.717 .818]."""
    if not metric or metric.get("value") is None:
        return Text("")
    parts = [metric.get(part) for part in ("value", "low", "high")]
    value, *ends = (f"{part:.3f}".removeprefix("0") for part in parts if part is not None)
    return Text(f"{value} [{' '.join(ends)}]" if name in _WITH_INTERVAL and ends else value)


def _number(value: float | None, form: str) -> str:
    return "" if value is None or pd.isna(value) else format(value, form)
