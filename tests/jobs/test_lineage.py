"""What run.json says of a run."""

import json
from datetime import UTC, datetime
from pathlib import Path

from jobs.data.dataset import Dataset
from jobs.learn import Learned
from jobs.lineage import write_lineage
from jobs.report.tables import features_table
from jobs.stages import Stages
from jobs.work import Work
from storage import ObjectInfo, open_store
from storage.drops import Snapshot
from tests.jobs.mixed_drop import mixed_problem


def test_columns_are_counted_by_the_statuses_of_the_features_table(
    mixed_run: tuple[Dataset, Learned, Stages], tmp_path: Path
) -> None:
    data, learned, stages = mixed_run
    store = open_store(str(tmp_path))
    drop = Snapshot(store.url + "x/", "x/", ObjectInfo("x/_SUCCESS", 0, "", None, datetime(2026, 1, 1, tzinfo=UTC)), ())
    work = Work(mixed_problem(), drop, store, store, fence=1, threads=1)
    features = features_table(learned)
    write_lineage(tmp_path, work, "run", learned, stages, features)
    counts = json.loads((tmp_path / "run.json").read_text())["counts"]
    of_contract = {"selected", "not_selected", "pruned", "constant", "rare"}
    assert counts["by_status"] == {name: int((features["status"] == name).sum()) for name in of_contract}
    assert sum(counts["by_status"].values()) == counts["columns"] == len(data.names) + 3
    assert counts["by_status"]["selected"] == counts["selected"]
    assert counts["by_status"]["constant"] == 3  # two numeric columns and a categorical one
