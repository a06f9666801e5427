"""The run before this one, to compare its columns with. That it cannot be read is no reason to fail."""

import io
import json

import pandas as pd

from jobs.report.changes import Previous
from storage.committed import latest_run, published, read_commit
from storage.errors import StorageError
from storage.keys import FEATURES, LINEAGE
from storage.store import ObjectStore

_COMPARED = {"feature", "mean", "deviation", "coverage"}


def read_previous(store: ObjectStore, problem: str, run_id: str) -> Previous | None:
    """Return the newest committed run of a problem; None if that is `run_id`, or cannot be compared with."""
    try:
        latest = latest_run(store, problem)
        if latest == run_id:
            return None
        commit = read_commit(store, problem, latest)
        features = pd.read_parquet(io.BytesIO(published(store, commit, FEATURES)))
        n_rows = int(json.loads(published(store, commit, LINEAGE))["counts"]["rows"])
    except (StorageError, ValueError, KeyError):
        return None
    return Previous(latest, n_rows, features) if set(features.columns) >= _COMPARED else None
