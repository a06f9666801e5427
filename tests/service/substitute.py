"""A second implementation of the work on a drop: it reads the parts, does as they say, and commits a tiny run."""

import io
import json
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from jobs.errors import Abandoned, MissingLabel, TrainingFailed
from jobs.lineage import code_version
from jobs.observer import Observer
from jobs.run import conclude
from jobs.work import Outcome, Work
from storage import ObjectStore
from storage.commits import publish
from storage.errors import StorageUnavailable
from storage.keys import MARKER, run_id_of

UUID = "0f7c0e2c-1f0e-4c52-9d5f-0123456789ab"
PART = f"part-00000-{UUID}-c000.snappy.parquet"

PROBLEM = """\
problem: return
drops: drops
results: results
complete: {settle_seconds: 0}
table: {id: user_id, label: active}
"""


def problem_at(root: str) -> str:
    """Return the problem with its drops and results below a URL."""
    placed = PROBLEM.replace("drops: drops", f"drops: {root}/drops")
    return placed.replace("results: results", f"results: {root}/results")


def write_part(store: ObjectStore, folder: str, says: str = "fine") -> None:
    """Write the part of a drop that is not finished yet."""
    store.write(folder + PART, f"{folder} is {says}".encode())


def write_drop(store: ObjectStore, folder: str, says: str = "fine") -> None:
    """Write a finished drop that the substitute takes as it says: fine, rejected, failing, broken, slow or stuck."""
    write_part(store, folder, says)
    store.write(folder + MARKER, b"")


def small_run(work: Work, observer: Observer) -> Outcome:
    """Do as the parts of the drop say."""
    observer.stage_started("read", 1, "rows")
    said = b"".join(work.drops.read(part.key)[0] for part in work.drop.parts).decode(errors="replace")
    # What is stuck does not listen, not even where the signal comes right after the line that the test waits for.
    with suppress(Abandoned) if said.endswith("stuck") else nullcontext():
        observer.stage_finished("read", 0.25, {"rows": 1, "event": "a fact that is called like a field of the log"})
    if said.endswith("rejected"):
        raise MissingLabel('there is no column "active". Name the label in table.label')
    if said.endswith("failing"):
        raise TrainingFailed("the loss went up")
    if said.endswith("broken"):
        raise ZeroDivisionError("division by zero")
    if said.endswith("unreachable"):
        raise StorageUnavailable("write", work.results.url, "no answer")
    if said.endswith("slow"):
        _work_slowly(observer)
    if said.endswith("stuck"):
        time.sleep(60)
    return _committed(work)


def _work_slowly(observer: Observer) -> None:
    observer.stage_started("train", 0, "epochs")
    while True:
        time.sleep(0.05)
        observer.advanced(1)


def _committed(work: Work) -> Outcome:
    problem, run_id = work.problem.problem, run_id_of(work.drop.drop_id, work.problem.canonical_json(), code_version())
    with TemporaryDirectory() as folder:
        Path(folder, "features.parquet").write_bytes(_features())
        Path(folder, "metrics.json").write_text(json.dumps(METRICS), encoding="utf-8")
        attempt = publish(work.results, problem, run_id, work.fence, Path(folder))
    return conclude(work, run_id, attempt)


METRICS = {
    "test": {
        "lightgbm": {"auc": {"value": 0.71, "low": 0.65, "high": 0.77}},
        "net": {"auc": {"value": 0.75, "low": 0.7, "high": 0.8}, "recall": {"value": 0.5, "low": None, "high": None}},
    },
    "additivity_gap": {"mean": 0.001},
}

FEATURES = pd.DataFrame(
    {
        "feature": ["5_96", "5_95", "1_1", "9_9"],
        "kind": "numeric",
        "status": ["pruned", "selected", "constant", "not_selected"],
        "rank": pd.array([None, 1, None, 2], "Int64"),
        "mean_abs_shap": [None, 0.5, None, 0.125],
        "gain": [None, 0.01, None, 0.0],
        "kept_for": ["5_95", None, None, None],
        "correlation": [0.97, None, None, None],
    }
)


def _features() -> bytes:
    sink = io.BytesIO()
    FEATURES.to_parquet(sink, index=False)
    return sink.getvalue()
