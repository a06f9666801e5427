"""Runs the SQL of an example on small tables."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow.parquet as pq

from config import load_problem
from jobs.observer import Silent
from jobs.prepare import parts_to_read
from jobs.stages import Stages
from jobs.work import Work
from storage import LocalStore
from storage.drops import snapshot_at
from storage.keys import MARKER
from tests.architecture.tree import ROOT

EXAMPLES = ROOT / "examples"


def prepare(name: str, tables: dict[str, pd.DataFrame], **parameters: object) -> pd.DataFrame:
    """Return what the SQL of an example makes of some tables, with other parameters than its own where given."""
    problem = load_problem(EXAMPLES / name / "problem.yaml")
    problem = problem.model_copy(update={"parameters": {**problem.parameters, **parameters}})
    with TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        for table, frame in tables.items():
            sink = io.BytesIO()
            frame.to_parquet(sink, index=False)
            store.write(f"d/{table}.parquet", sink.getvalue())
        store.write(f"d/{MARKER}", b"")
        work = Work(problem, snapshot_at(store, "d/", holds_tables=True), store, store, fence=1, threads=1)
        frames: list[pd.DataFrame] = []
        with parts_to_read(work, Stages(Silent())) as (parts, open_part):
            for part in parts:
                with open_part(part) as file:
                    frames.append(pq.read_table(file).to_pandas())
        return pd.concat(frames)


def by_feature(long: pd.DataFrame, id_name: str) -> dict[str, dict[str, float]]:
    """Return a long table as feature -> value by id."""
    found: dict[str, dict[str, float]] = {}
    for who, rows in long.groupby(id_name):
        found[str(who)] = dict(zip(rows["feature"], rows["value"], strict=True))
    return found
