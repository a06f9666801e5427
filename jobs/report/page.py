"""report.html: one page without scripts or outside references, for people. All text from the drop is escaped."""

from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from jobs.labels import listed

_TOP = 50
_MOST_NAMED = 10  # columns in a sentence
_LAST = 20  # items of a sequence

_METRICS = (
    *("auc", "average_precision", "f1", "macro_f1", "accuracy", "top_3_accuracy", "log_loss", "brier"),
    *("rmse", "mae", "r2"),
)
_MOST_CLASSES = 30  # of a confusion matrix that people can read


def write_page(
    folder: Path,
    problem: str,
    run_id: str,
    features: pd.DataFrame,
    interactions: pd.DataFrame,
    positions: pd.DataFrame,
    metrics: dict[str, Any],
) -> None:
    """Write report.html from the tables and the metrics."""
    environment = Environment(loader=PackageLoader("jobs", "report"), autoescape=True, undefined=StrictUndefined)
    top = features[features["rank"].notna()].head(_TOP)
    text = environment.get_template("page.html").render(
        problem=problem,
        run_id=run_id,
        counts=features["status"].value_counts().to_dict(),
        rows=top.to_dict("records"),
        top=len(top),
        largest=max(float(top["mean_abs_shap"].max()), 1e-12) if len(top) else 1.0,
        metric_names=[name for name in _METRICS if name in metrics["test"]["net"]],
        by=metrics["test_by"],
        ranking=metrics.get("ranking"),
        confusion=_readable(metrics.get("confusion")),
        models=metrics["test"],
        gap=metrics["additivity_gap"],
        pairs=interactions.to_dict("records"),
        positions={name: of.head(_LAST).to_dict("records") for name, of in positions.groupby("feature")},
        lead=metrics["lead_over_linear_model"],
        since=metrics["changes"]["since"],
        changes={what: listed(metrics["changes"][what], _MOST_NAMED) for what in ("moved", "new", "gone")},
        seen_before=metrics["test_rows_seen_in_training"],
    )
    (folder / "report.html").write_text(text, encoding="utf-8")


def _readable(confusion: dict[str, Any] | None) -> dict[str, Any] | None:
    return confusion if confusion and len(confusion["classes"]) <= _MOST_CLASSES else None
