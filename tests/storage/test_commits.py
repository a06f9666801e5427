"""From a published attempt to deleted inputs: exactly once, exactly what the commit names, whatever dies on the way."""

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from storage import Deletion, ObjectInfo, ObjectStore, open_store
from storage.commits import (
    MARKER_REST,
    Commit,
    collect_marker,
    commit,
    discard_attempt,
    finish,
    is_done,
    publish,
    read_commit,
    sweep,
)
from storage.drops import Snapshot, as_found, find_drops, snapshot_at
from storage.errors import CorruptObject, ObjectMissing, StorageUnavailable
from storage.keys import MARKER, done_key, latest_key, ledger_key
from tests.contracts.crashing_store import Changes, Crash, CrashingStore
from tests.contracts.s3_proxy import S3Proxy, running
from tests.contracts.written_drops import NOON, PARTS, only_snapshot, write_drop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return what a run left on this machine."""
    made = tmp_path / "made"
    (made / "model").mkdir(parents=True)
    pq.write_table(
        pa.table({"feature": ["a", "b"], "rank": pa.array([1, None], pa.int64())}), made / "features.parquet"
    )
    (made / "model" / "net.json").write_text("{}")
    return made


@pytest.fixture(params=["local", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a URL to put stores below."""
    return str(tmp_path / "root") if request.param == "local" else request.getfixturevalue("s3_root")


@pytest.fixture
def results(root: str) -> ObjectStore:
    """Return an empty store for results."""
    return open_store(f"{root}/results")


@pytest.fixture
def drops(root: str) -> ObjectStore:
    """Return an empty store for drops."""
    return open_store(f"{root}/drops")


def _propose(results: ObjectStore, seen: Snapshot, folder: Path, run_id: str = "r1", **changes: object) -> Commit:
    attempt = publish(results, "p", run_id, 1, folder)
    proposal = Commit(run_id, seen.drop_id, "p", attempt.folder, NOON, attempt.outputs, seen)
    return replace(proposal, **changes)  # pyright: ignore[reportArgumentType]


def _keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [info.key for info in store.list(prefix)]


def test_what_is_published_is_what_was_made(results: ObjectStore, folder: Path) -> None:
    attempt = publish(results, "p", "r1", 3, folder)
    assert attempt.folder.startswith("p/runs/r1/attempt-3-")
    assert sorted(attempt.outputs) == [attempt.folder + "features.parquet", attempt.folder + "model/net.json"]
    output = attempt.outputs[attempt.folder + "model/net.json"]
    assert output.size == 2
    assert output.sha256 == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert results.read(attempt.folder + "model/net.json")[0] == b"{}"


def test_a_store_that_keeps_other_bytes_is_caught(results: ObjectStore, folder: Path) -> None:
    with pytest.raises(CorruptObject, match="was sent"):
        publish(cast("ObjectStore", DamagingStore(results)), "p", "r1", 1, folder)


class DamagingStore:
    """A store that loses bits: the size is right, the bytes are not."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        """Do the rest as the store does."""
        return getattr(self._store, name)

    def write(self, key: str, source: Path) -> ObjectInfo:
        """Write zeros."""
        return self._store.write(key, bytes(source.stat().st_size))


def test_two_attempts_never_share_a_folder(results: ObjectStore, folder: Path) -> None:
    assert publish(results, "p", "r1", 1, folder).folder != publish(results, "p", "r1", 1, folder).folder


def test_the_first_commit_stands(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    first, second = _propose(results, seen, folder), _propose(results, seen, folder)
    assert commit(results, first) == first
    assert commit(results, second) == first
    assert commit(results, first) == first
    assert read_commit(results, "p", "r1") == first


def test_of_many_attempts_exactly_one_counts(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    one = _propose(results, seen, folder)
    proposals = [replace(one, attempt=f"p/runs/r1/attempt-1-{i}/", outputs={}) for i in range(16)]
    with ThreadPoolExecutor(16) as pool:
        standing = list(pool.map(lambda proposal: commit(results, proposal), proposals))
    assert len({found.attempt for found in standing}) == 1


def test_an_attempt_that_was_collected_meanwhile_does_not_count(
    results: ObjectStore, drops: ObjectStore, folder: Path
) -> None:
    write_drop(drops, "x/")
    proposal = _propose(results, only_snapshot(drops), folder)
    results.delete(results.head(min(proposal.outputs)))
    with pytest.raises(ObjectMissing, match="the output of this attempt is gone"):
        commit(results, proposal)
    with pytest.raises(ObjectMissing):
        read_commit(results, "p", "r1")


def test_a_commit_survives_json(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    proposal = _propose(results, only_snapshot(drops), folder, keep_inputs=True, retention_days=7)
    assert Commit.from_json(proposal.to_json()) == proposal


def test_a_commit_that_cannot_be_read_is_reported(results: ObjectStore) -> None:
    results.write("p/runs/r1/COMMIT.json", b'{"schema": 2}')
    with pytest.raises(CorruptObject, match="schema 2"):
        read_commit(results, "p", "r1")


def test_an_attempt_that_lost_is_discarded_and_no_other(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    standing, lost = commit(results, _propose(results, seen, folder)), _propose(results, seen, folder)
    discard_attempt(results, lost.attempt)
    assert _keys(results, lost.attempt) == []
    assert len(_keys(results, standing.attempt)) == 2
    with pytest.raises(ValueError, match="counts"):
        discard_attempt(results, standing.attempt)
    with pytest.raises(ValueError, match="not the folder"):
        discard_attempt(results, "p/runs/")


def test_finishing_deletes_exactly_what_the_commit_names(
    results: ObjectStore, drops: ObjectStore, folder: Path
) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    drops.write("x/notes.txt", b"unknown")
    drops.write("x/part-9.parquet", b"came later")
    drops.write("y/part-0.parquet", b"another drop")
    standing = commit(results, _propose(results, seen, folder))
    finished = finish(results, drops, standing)
    assert finished.status == "done"
    assert set(finished.deleted) >= {part.key for part in seen.parts}
    left = ["x/notes.txt", "x/part-9.parquet", "y/part-0.parquet"]
    assert _keys(drops) == sorted([*left, *finished.left])
    assert finished.left == (("x/_SUCCESS",) if _leaves_marker(drops, seen) else ())
    assert is_done(results, "p", seen.drop_id)


def test_a_marker_that_names_a_write_is_deleted_too(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/", marker=json.dumps({"filenames": list(PARTS)}).encode())
    finish(results, drops, commit(results, _propose(results, only_snapshot(drops), folder)))
    assert _keys(drops) == []


def test_a_marker_that_the_next_drop_would_repeat_stays(s3_root: str, folder: Path) -> None:
    results, drops = open_store(f"{s3_root}/results"), open_store(f"{s3_root}/drops")
    write_drop(drops, "x/", marker=b"done\n")
    finished = finish(results, drops, commit(results, _propose(results, only_snapshot(drops), folder)))
    assert finished.left == ("x/_SUCCESS",)
    assert is_done(results, "p", only_snapshot(drops).drop_id)


def test_a_marker_left_behind_is_a_drop_already_done(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    finish(results, drops, commit(results, _propose(results, seen, folder)))
    if _leaves_marker(drops, seen):
        bare = only_snapshot(drops)
        assert bare.parts == ()
        assert is_done(results, "p", bare.drop_id)
    else:
        assert _keys(drops) == []


def test_kept_inputs_are_kept(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    finished = finish(results, drops, commit(results, _propose(results, seen, folder, keep_inputs=True)))
    assert finished.status == "inputs_kept"
    assert only_snapshot(drops) == seen
    assert is_done(results, "p", seen.drop_id)
    assert sweep(results, "p", open_store) == []


def test_an_input_replaced_meanwhile_survives(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    standing = commit(results, _propose(results, seen, folder))
    drops.write(seen.parts[1].key, b"the next drop")
    finished = finish(results, drops, standing)
    assert drops.read(seen.parts[1].key)[0] == b"the next drop"
    assert finished.status == "done"
    assert finished.changed == (() if seen.marker.version else (seen.parts[1].key,))


def test_a_drop_that_takes_the_place_of_a_finished_one_survives_whole(
    results: ObjectStore, drops: ObjectStore, folder: Path
) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    standing = commit(results, _propose(results, seen, folder))
    for part in PARTS:
        drops.write(f"x/{part}", b"next")
    drops.write(f"x/{MARKER}", b"")
    finish(results, drops, standing)
    assert [part.key for part in only_snapshot(drops).parts] == [part.key for part in seen.parts]
    assert not is_done(results, "p", only_snapshot(drops).drop_id)


def test_finishing_twice_changes_nothing(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    standing = commit(results, _propose(results, seen, folder))
    finish(results, drops, standing)
    before = list(results.list())
    again = finish(results, drops, standing)
    assert again.deleted == ()
    assert set(again.gone) >= {part.key for part in seen.parts}
    assert list(results.list()) == before


def test_the_ledger_holds_the_features_with_their_run(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    finish(results, drops, commit(results, _propose(results, only_snapshot(drops), folder)))
    body, _ = results.read("p/ledger/dt=2026-01-31/r1.parquet")
    table = pq.read_table(io.BytesIO(body))
    assert table.to_pydict() == {"feature": ["a", "b"], "rank": [1, None], "run_id": ["r1", "r1"]}


def test_a_tampered_table_does_not_enter_the_ledger(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    standing = commit(results, _propose(results, seen, folder))
    results.write(standing.attempt + "features.parquet", b"other")
    with pytest.raises(CorruptObject):
        finish(results, drops, standing)
    assert only_snapshot(drops) == seen


def test_the_latest_commit_never_goes_back(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    old = _propose(results, only_snapshot(drops), folder, "r1")
    new = replace(old, run_id="r2", committed_at=NOON + timedelta(hours=1))
    for standing, expected in ((old, "r1"), (new, "r2"), (old, "r2")):
        commit(results, standing)
        finish(results, drops, standing)
        assert json.loads(results.read(latest_key("p"))[0])["run_id"] == expected


def test_the_latest_of_many_wins_in_any_order(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    write_drop(drops, "x/")
    one = _propose(results, only_snapshot(drops), folder, outputs={}, keep_inputs=True)
    commits = [replace(one, run_id=f"r{i}", committed_at=NOON + timedelta(minutes=i)) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda standing: finish(results, drops, standing), commits))
    assert json.loads(results.read(latest_key("p"))[0])["run_id"] == "r7"


def test_a_crash_anywhere_is_cleaned_up_by_the_sweep(results: ObjectStore, drops: ObjectStore, folder: Path) -> None:
    for n_changes in range(30):
        place = f"x{n_changes}/"
        write_drop(drops, place)
        drops.write(f"{place}notes.txt", b"unknown")
        seen = snapshot_at(drops, place)
        proposal = _propose(results, seen, folder, f"r{n_changes}", committed_at=NOON + timedelta(minutes=n_changes))
        if not _dies(results, drops, proposal, n_changes):
            break
        swept = sweep(results, "p", lambda _: drops)
        if n_changes == 0:  # nothing was committed: nothing may have happened
            assert swept == []
            assert snapshot_at(drops, place) == seen
            assert not is_done(results, "p", seen.drop_id)
            continue
        assert [finished.run_id for finished in swept] == [proposal.run_id]
        assert sweep(results, "p", lambda _: drops) == []
        assert is_done(results, "p", seen.drop_id)
        assert json.loads(results.read(latest_key("p"))[0])["run_id"] == proposal.run_id
        assert results.head(ledger_key("p", "2026-01-31", proposal.run_id)).size > 0
        marker = [f"{place}_SUCCESS"] if _leaves_marker(drops, seen) else []
        assert _keys(drops, place) == [*marker, f"{place}notes.txt"]
        assert not marker or is_done(results, "p", snapshot_at(drops, place).drop_id)
    assert n_changes == 9  # commit, ledger, latest, 3 parts, marker (or its own tombstone), tombstone, finished


def _dies(results: ObjectStore, drops: ObjectStore, proposal: Commit, n_changes: int) -> bool:
    changes = Changes(fatal=n_changes)
    mortal_results, mortal_drops = (cast("ObjectStore", CrashingStore(store, changes)) for store in (results, drops))
    try:
        finish(mortal_results, mortal_drops, commit(mortal_results, proposal))
    except Crash:
        return True
    return False


def test_what_a_deleted_version_had_replaced_is_no_new_drop(versioned_s3_root: str, folder: Path) -> None:
    results, drops = open_store(f"{versioned_s3_root}/results"), open_store(f"{versioned_s3_root}/drops")
    write_drop(drops, "x/")
    older = only_snapshot(drops)
    time.sleep(1.1)  # the clock of S3 counts seconds
    for part in PARTS:
        drops.write(f"x/{part}", b"newer")
    drops.write(f"x/{MARKER}", b"")
    newer = only_snapshot(drops)
    finished = finish(results, drops, commit(results, _propose(results, newer, folder)))
    assert len(finished.deleted) == len(PARTS) + 1
    assert only_snapshot(drops) == older
    assert is_done(results, "p", older.drop_id)


def test_one_store_that_is_down_does_not_hold_up_the_sweep(
    results: ObjectStore, drops: ObjectStore, folder: Path
) -> None:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    for run_id in ("r1", "r2"):
        commit(results, _propose(results, seen, folder, run_id, outputs={}))
    opened: list[str] = []

    def open_second(url: str) -> ObjectStore:
        opened.append(url)
        if len(opened) == 1:
            raise StorageUnavailable("open", url, "it is down")
        return drops

    with pytest.raises(StorageUnavailable):
        sweep(results, "p", open_second)
    assert opened == [drops.url, drops.url]
    assert is_done(results, "p", seen.drop_id)
    assert [finished.run_id for finished in sweep(results, "p", open_store)] == ["r1"]


def test_inputs_that_may_not_be_deleted_are_retained_and_never_a_new_drop(
    s3_root: str, s3_environment: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, drops = open_store(f"{s3_root}/results"), open_store(f"{s3_root}/drops")
    write_drop(drops, "x/", marker=b"{}")
    seen = only_snapshot(drops)
    standing = commit(results, _propose(results, seen, folder))
    proxy = S3Proxy(s3_environment)
    proxy.refuse = {"DELETE": (403, "AccessDenied")}
    drops.delete(seen.parts[0])
    with running(proxy) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        finished = finish(results, open_store(drops.url), standing)
    assert finished.status == "inputs_retained"
    assert finished.gone == (seen.parts[0].key,)
    assert finished.denied == tuple(part.key for part in seen.parts[1:])
    assert finished.left == (seen.marker.key,)
    assert json.loads(results.read(done_key("p", seen.drop_id))[0])["status"] == "inputs_retained"
    assert is_done(results, "p", only_snapshot(drops).drop_id)


def test_a_leftover_marker_is_collected_when_it_is_old_and_alone(s3_root: str, folder: Path) -> None:
    results, drops = open_store(f"{s3_root}/results"), open_store(f"{s3_root}/drops")
    write_drop(drops, "x/")
    finish(results, drops, commit(results, _propose(results, only_snapshot(drops), folder)))
    bare = only_snapshot(drops)
    later = bare.marker.modified + MARKER_REST
    assert collect_marker(results, drops, "p", bare, later - timedelta(seconds=1)) is None
    assert collect_marker(results, drops, "q", bare, later) is None
    drops.write("x/unknown", b"")
    assert collect_marker(results, drops, "p", bare, later) is None
    drops.delete(drops.head("x/unknown"))
    assert collect_marker(results, drops, "p", bare, later) is Deletion.DELETED
    assert _keys(drops) == []


def test_a_local_folder_is_clean_afterwards(tmp_path: Path, folder: Path) -> None:
    drops, results = open_store(str(tmp_path / "drops")), open_store(str(tmp_path / "results"))
    write_drop(drops, "x/day=1/")
    for name in (*PARTS, MARKER):
        (tmp_path / "drops" / "x" / "day=1" / f".{name}.crc").write_bytes(b"crc")
    finish(results, drops, commit(results, _propose(results, only_snapshot(drops), folder)))
    assert [path.name for path in (tmp_path / "drops").iterdir()] == [".winnow-lock"]


def test_a_run_without_a_commit_does_not_exist(results: ObjectStore, folder: Path) -> None:
    publish(results, "p", "r1", 1, folder)
    assert sweep(results, "p", open_store) == []
    with pytest.raises(ObjectMissing):
        read_commit(results, "p", "r1")


def _leaves_marker(drops: ObjectStore, seen: Snapshot) -> bool:
    return urlsplit(drops.url).scheme == "s3" and seen.marker.version is None


def test_a_finished_drop_of_tables_is_no_new_drop(
    root: str, results: ObjectStore, drops: ObjectStore, folder: Path
) -> None:
    for key in ("day=1/events/part-0.parquet", "day=1/events/_SUCCESS", "day=1/users.csv", "day=1/_SUCCESS"):
        drops.write(key, b"")
    seen = snapshot_at(drops, "day=1/", holds_tables=True)
    finish(results, drops, commit(results, _propose(results, seen, folder)))
    assert [key for key in _keys(drops) if not key.endswith("_SUCCESS")] == []
    left = find_drops(drops, holds_tables=True)
    assert [is_done(results, "p", as_found(found).drop_id) for found in left] == [True] * len(left)
