"""Reads what a run left: its commit, its feature table, its metrics."""

import io
import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from storage import ObjectStore
from storage.committed import Commit, latest_run, published, read_commit
from storage.keys import FEATURES, METRICS, commit_key


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


def _best_first(features: pd.DataFrame) -> pd.DataFrame:
    return features.sort_values("rank", kind="stable", na_position="last", ignore_index=True)
