"""Reads what a run left: its commit, its feature table, its metrics."""

import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from storage import ObjectStore
from storage.commits import Commit, read_commit
from storage.errors import CorruptObject, ObjectMissing
from storage.keys import FEATURES, commit_key, done_key, latest_key

METRICS = "metrics.json"


@dataclass(frozen=True, slots=True)
class RunResults:
    """What a committed run says.

    Attributes:
        commit: the run.
        url: absolute URL of the folder with all its files, ending in "/".
        commit_url: absolute URL of its COMMIT.json.
        features: a row for every column of the drop, the best first.
        metrics: the content of metrics.json.
    """

    commit: Commit
    url: str
    commit_url: str
    features: pd.DataFrame
    metrics: dict[str, Any]

    def to_json(self, top: int) -> dict[str, object]:
        """Return JSON values with the first rows of the table."""
        return {
            "run_id": self.commit.run_id,
            "commit": self.commit_url,
            "metrics": self.metrics,
            "top": json.loads(self.features.head(top).to_json(orient="records", double_precision=15)),
        }


def read_results(store: ObjectStore, problem: str, run_id: str | None = None) -> RunResults:
    """Read a run.

    Args:
        store: the results store.
        problem: the problem.
        run_id: the run; the newest if None.

    Raises:
        ObjectMissing: there is no such run.
        CorruptObject: a file of it is damaged or gone.
    """
    commit = read_commit(store, problem, run_id or latest_run(store, problem))
    features, metrics = published(store, commit, FEATURES), published(store, commit, METRICS)
    return RunResults(
        commit=commit,
        url=store.url + commit.attempt,
        commit_url=store.url + commit_key(problem, commit.run_id),
        features=_best_first(pd.read_parquet(io.BytesIO(features))),
        metrics=json.loads(metrics),
    )


def run_of_drop(store: ObjectStore, problem: str, drop_id: str) -> str:
    """Return the run that has finished a drop."""
    return str(_values(store, done_key(problem, drop_id))["run_id"])


def published(store: ObjectStore, commit: Commit, name: str) -> bytes:
    """Return a file of a run, byte for byte as it was published."""
    key = commit.attempt + name
    try:
        body, _ = store.read(key)
    except ObjectMissing as error:
        raise CorruptObject("read", store.url + key, "the commit names it, and it is not there") from error
    published = commit.outputs.get(key)
    if published is None or hashlib.sha256(body).hexdigest() != published.sha256:
        raise CorruptObject("read", store.url + key, "it is not the file that was published")
    return body


def latest_run(store: ObjectStore, problem: str) -> str:
    """Return the newest run of a problem.

    Raises:
        ObjectMissing: there is none.
        CorruptObject: what names it is damaged.
    """
    return str(_values(store, latest_key(problem))["run_id"])


def _values(store: ObjectStore, key: str) -> dict[str, Any]:
    body, _ = store.read(key)
    try:
        values = json.loads(body)
    except ValueError as error:
        raise CorruptObject("read", store.url + key, f"it is no JSON ({error})") from error
    if not isinstance(values, dict) or "run_id" not in values:
        raise CorruptObject("read", store.url + key, "it names no run")
    return cast("dict[str, Any]", values)


def _best_first(features: pd.DataFrame) -> pd.DataFrame:
    return features.sort_values("rank", kind="stable", na_position="last", ignore_index=True)
