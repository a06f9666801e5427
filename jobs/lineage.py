"""run.json and metrics.json: what experiment management needs to know of a run, and to make it again."""

import hashlib
import json
import platform
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from jobs.data.dataset import Dataset
from jobs.judging import linear_name
from jobs.learn import Learned
from jobs.report.changes import Changes
from jobs.selection.metrics import FIRST_METRIC
from jobs.stages import Stages
from jobs.work import Work
from storage.keys import LINEAGE, METRICS

SCHEMA = 1

_ROOMS = ("config", "storage", "jobs")  # what can change a result
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "lightgbm", "torch", "numba", "pyarrow", "pandas", "optuna")


@cache
def code_version() -> str:
    """The distribution's version and a digest of the source of the rooms that can change a result."""
    root = Path(__file__).parent.parent
    files = sorted(path for room in _ROOMS for path in (root / room).rglob("*.py"))
    content = hashlib.sha256()
    for path in files:
        content.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{metadata.version('winnow')}+{content.hexdigest()[:12]}"


def write_lineage(
    folder: Path, work: Work, run_id: str, learned: Learned, stages: Stages, features: pd.DataFrame
) -> None:
    """Write run.json: the drop, the problem, the code, the machine, and what was done; `features` is the table."""
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "run_id": run_id,
        "drop": work.drop.to_json() | {"drop_id": work.drop.drop_id},
        "problem": work.problem.model_dump(mode="json"),
        "code_version": code_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "machine": {"python": platform.python_version(), "system": platform.platform(), "threads": work.threads},
        "counts": {
            "rows": learned.data.n_rows,
            "by_class": _by_class(learned.data),
            "columns": len(features),
            "non_zeros": int(learned.columns.entries.sum()),
            "by_status": {str(name): int(n) for name, n in features["status"].value_counts().items()},
            "train": len(learned.split.train),
            "valid": len(learned.split.valid),
            "test": len(learned.split.test),
            "explained": learned.summary.n_rows,
            "selected": int(learned.selection.selected.sum()),
        },
        "label": {
            "task": learned.task.kind,
            "classes": list(learned.data.classes),
            "target": asdict(learned.target),
            "threshold": learned.judgement.threshold,
        },
        "training": {
            "plan": asdict(learned.plan),
            "ridge_strengths": list(learned.strengths),
            "is_curved": learned.columns.is_curved,
            "trials": [asdict(trial) for trial in learned.trials],
            "best_epochs": [fold.net.best_epoch for fold in learned.ensemble.folds],
            "history": [[asdict(epoch) for epoch in fold.net.history] for fold in learned.ensemble.folds],
            "calibration": [asdict(fold.calibration) for fold in learned.ensemble.folds],
            "null_width": learned.selection.null_width,
        },
        "prepare": stages.facts.get("prepare"),
        "seconds": stages.seconds,
    }
    _write(folder / LINEAGE, record)


def metrics_of(learned: Learned, changes: Changes, stages: Stages) -> dict[str, Any]:
    """The content of metrics.json: side -> model -> metric -> value and 95 % interval, and the honesty of the table."""
    sides = {
        side: {
            model: {name: asdict(estimate) for name, estimate in of_model.items()} for model, of_model in models.items()
        }
        for side, models in learned.judgement.metrics.items()
    }
    summary = learned.summary
    gap = {"mean": summary.gap_mean, "max": summary.gap_max, "spread_of_logits": summary.spread}
    return {
        **sides,
        "threshold": learned.judgement.threshold,
        "additivity_gap": gap,
        "lead_over_linear_model": asdict(learned.judgement.lead)
        | {
            "metric": FIRST_METRIC[learned.task.kind],
            "model": linear_name(learned.task),
            "is_behind": learned.judgement.is_behind,
            "is_withheld": learned.is_withheld,
        },
        "lead_over_own_linear_models": asdict(learned.judgement.own_lead),
        "test_by": {
            column: {value: {name: asdict(e) for name, e in metrics.items()} for value, metrics in values.items()}
            for column, values in learned.judgement.by.items()
        },
        **_confusion(learned),
        **({} if learned.ranked is None else {"ranking": asdict(learned.ranked)}),
        "changes": changes.to_json(),
        "test_rows_seen_in_training": learned.columns.duplicates,
        "seconds": stages.seconds,
        "peak_bytes": stages.peak_bytes,
    }


def _by_class(data: Dataset) -> dict[str, int]:
    """Rows of each class; nothing of a label that is a number."""
    return {name: int((data.y == number).sum()) for number, name in enumerate(data.classes)}


def _confusion(learned: Learned) -> dict[str, Any]:
    """The test rows of each class, by line, that the nets call what, by column."""
    table = learned.judgement.confusion
    return {} if table is None else {"confusion": {"classes": list(learned.data.classes), "rows": table.tolist()}}


def write_metrics(folder: Path, metrics: dict[str, Any]) -> None:
    """Write metrics.json."""
    _write(folder / METRICS, metrics)


def _write(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=1, sort_keys=True, allow_nan=False, default=str))
