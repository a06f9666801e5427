"""What crashes leave is removed, and nothing else: not the attempt that counts, not one that may still count."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage import ObjectStore, open_store
from storage.commits import Attempt, Commit, commit, publish
from storage.keys import trials_key
from storage.orphans import (
    SUPERSEDED_REST,
    UNCOMMITTED_REST,
    UNFINISHED_REST,
    collect_leftovers,
    collect_orphans,
)
from tests.contracts.written_drops import only_snapshot, write_drop

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(params=["local", "s3"])
def results(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Return an empty store."""
    return open_store(str(tmp_path / "root") if request.param == "local" else request.getfixturevalue("s3_root"))


def attempt_at(results: ObjectStore, run_id: str, tmp_path: Path) -> Attempt:
    folder = tmp_path / "made"
    folder.mkdir(exist_ok=True)
    (folder / "metrics.json").write_text("{}")
    return publish(results, "p", run_id, 1, folder)


def later(rest: timedelta) -> datetime:
    return datetime.now(UTC) + rest + timedelta(minutes=1)


def test_an_attempt_beside_the_one_that_counts_goes(results: ObjectStore, tmp_path: Path) -> None:
    drops = open_store(str(tmp_path / "drops"))
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    orphan, counts = attempt_at(results, "r1", tmp_path), attempt_at(results, "r1", tmp_path)
    commit(results, Commit("r1", seen.drop_id, "p", counts.folder, datetime.now(UTC), counts.outputs, seen))
    assert collect_orphans(results, "p", datetime.now(UTC)) == []
    assert collect_orphans(results, "q", later(UNCOMMITTED_REST)) == []
    assert collect_orphans(results, "p", later(SUPERSEDED_REST)) == [orphan.folder]
    assert list(results.list(orphan.folder)) == []
    assert collect_orphans(results, "p", later(UNCOMMITTED_REST)) == []
    assert [info.key for info in results.list(counts.folder)] == list(counts.outputs)


def test_an_attempt_without_a_commit_goes_after_a_week(results: ObjectStore, tmp_path: Path) -> None:
    orphan = attempt_at(results, "r2", tmp_path)
    assert collect_orphans(results, "p", later(SUPERSEDED_REST)) == []
    assert collect_orphans(results, "p", later(UNCOMMITTED_REST)) == [orphan.folder]
    assert list(results.list()) == []


def test_what_an_interrupted_probe_left_goes_after_a_day(results: ObjectStore) -> None:
    results.write(".probe/0f7c0e2c-1f0e-4c52-9d5f-0123456789ab", b"probe")
    results.write("p/latest.json", b"{}")
    assert collect_leftovers(results, datetime.now(UTC)) == 0
    assert collect_leftovers(results, later(UNFINISHED_REST)) == 1
    assert [info.key for info in results.list()] == ["p/latest.json"]


def test_temporary_files_of_dead_writers_go(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    info = store.write("a/kept.json", b"{}")
    young, old = tmp_path / "a/.winnow-1.tmp", tmp_path / "a/.winnow-2.tmp"
    for path in (young, old):
        path.write_bytes(b"half")
    day_ago = (datetime.now(UTC) - UNFINISHED_REST - timedelta(minutes=1)).timestamp()
    os.utime(old, (day_ago, day_ago))
    assert collect_leftovers(store, datetime.now(UTC)) == 1
    assert young.exists()
    assert not old.exists()
    assert store.head("a/kept.json") == info


def test_uploads_that_were_never_completed_are_aborted(s3_root: str, s3_client: "S3Client") -> None:
    store, bucket = open_store(s3_root), s3_root.split("/")[2]
    for key in ("root/a", "elsewhere/b"):
        s3_client.create_multipart_upload(Bucket=bucket, Key=key)
    initiated = {
        entry["Key"]: entry["Initiated"] for entry in s3_client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    }
    assert store.discard_unfinished(initiated["root/a"]) == 0
    assert store.discard_unfinished(initiated["root/a"] + timedelta(seconds=1)) == 1
    left = s3_client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [entry["Key"] for entry in left] == ["elsewhere/b"]


def test_trials_go_with_the_attempts_of_their_run(results: ObjectStore, tmp_path: Path) -> None:
    drops = open_store(str(tmp_path / "drops"))
    write_drop(drops, "x/")
    seen, counts = only_snapshot(drops), attempt_at(results, "r1", tmp_path)
    commit(results, Commit("r1", seen.drop_id, "p", counts.folder, datetime.now(UTC), counts.outputs, seen))
    left, goes_on = trials_key("p", "r1"), trials_key("p", "r2")
    for key in (left, goes_on):
        results.write(key, b"[]")
    assert collect_orphans(results, "p", datetime.now(UTC)) == []
    assert collect_orphans(results, "p", later(SUPERSEDED_REST)) == [left]
    assert collect_orphans(results, "p", later(UNCOMMITTED_REST)) == [goes_on]
    assert [info.key for info in results.list() if info.key in (left, goes_on)] == []
