"""What a watcher does with the folders that it finds, in both kinds of store."""

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.exits import Exit
from service.watcher import HOUSEKEEPING_EVERY, Pass, Watcher
from service.worker import Report, Status
from storage.claims import Claims
from storage.drops import snapshot_at
from storage.errors import StorageUnavailable, UnsafeStore
from storage.keys import MARKER, claim_key, done_key
from storage.quarantine import is_quarantined, put_aside, read_all, release
from storage.store import ObjectInfo
from tests.service.conftest import Home
from tests.service.substitute import PART, write_drop, write_part


def watcher_of(home: Home) -> Watcher:
    return home.app.watcher(home.problem)


def polls(home: Home, watcher: Watcher, *, seconds: float = 61.0) -> list[Report]:
    """Poll twice, so far apart that drops have settled; return the reports of both."""
    first = watcher.poll()
    home.clock.now += seconds
    return [*first.reports, *watcher.poll().reports]


def events(logs: list[Any], *names: str) -> list[dict[str, Any]]:
    return [line for line in logs if line["event"] in names]


def keys(listing: Iterator[ObjectInfo]) -> list[str]:
    return [info.key for info in listing]


def test_a_finished_drop_becomes_a_run_and_its_parts_are_deleted(home: Home) -> None:
    write_drop(home.drops, "dt=1/")
    with capture_logs() as logs:
        (report,) = polls(home, watcher_of(home))
    assert (report.status, report.exit_code) == (Status.COMMITTED, Exit.DONE)
    assert [key for key in keys(home.drops.list()) if key.endswith("parquet")] == []
    told = [line["event"] for line in logs]
    assert told == ["drop_found", "claim_taken", "stage_finished", "run_committed", "inputs_deleted", "claim_released"]
    assert {line["problem"] for line in logs} == {"return"}
    assert {line["drop_id"] for line in logs} == {report.drop.drop_id}


def test_a_drop_is_not_touched_before_it_has_settled(home: Home) -> None:
    watcher = watcher_of(home)
    write_drop(home.drops, "dt=1/")
    assert watcher.poll().settle_seconds == 60.0
    home.clock.now += 59.0
    assert watcher.poll().reports == ()
    home.clock.now += 1.0
    assert len(watcher.poll().reports) == 1


def test_a_drop_that_changes_has_to_settle_anew(home: Home) -> None:
    watcher = watcher_of(home)
    write_drop(home.drops, "dt=1/")
    watcher.poll()
    home.clock.now += 59.0
    write_drop(home.drops, "dt=1/", "fine again")
    assert watcher.poll().settle_seconds == 60.0
    home.clock.now += 59.0
    assert watcher.poll().reports == ()
    home.clock.now += 1.0
    assert len(watcher.poll().reports) == 1


def test_a_drop_that_is_done_is_not_worked_on_again(home: Home) -> None:
    watcher = watcher_of(home)
    write_drop(home.drops, "dt=1/")
    assert len(polls(home, watcher)) == 1
    assert polls(home, watcher) == []
    assert polls(home, watcher_of(home)) == []


def test_a_new_drop_in_the_same_folder_is_a_new_run(home: Home) -> None:
    watcher = watcher_of(home)
    write_drop(home.drops, "dt=1/")
    (first,) = polls(home, watcher)
    write_drop(home.drops, "dt=1/", "fine and new")
    (second,) = polls(home, watcher)
    assert first.outcome is not None
    assert second.outcome is not None
    assert first.outcome.commit.run_id != second.outcome.commit.run_id


def test_a_rejected_drop_is_put_aside_untouched_and_the_next_one_is_worked_on(home: Home) -> None:
    write_drop(home.drops, "dt=1/", "rejected")
    write_drop(home.drops, "dt=2/")
    watcher = watcher_of(home)
    with capture_logs() as logs:
        first, second = polls(home, watcher)
    assert (first.status, first.exit_code, second.status) == (Status.REJECTED, Exit.REJECTED, Status.COMMITTED)
    (line,) = events(logs, "drop_quarantined")
    assert (line["log_level"], line["error"], line["drop_id"]) == ("error", "MissingLabel", first.drop.drop_id)
    (record,) = read_all(home.results, "return")
    assert (record.error, record.url) == ("MissingLabel", home.drops.url + "dt=1/")
    assert keys(home.drops.list("dt=1/")) == [f"dt=1/{MARKER}", f"dt=1/{PART}"]
    assert polls(home, watcher) == []


def test_a_released_drop_is_tried_again(home: Home) -> None:
    write_drop(home.drops, "dt=1/", "rejected")
    watcher = watcher_of(home)
    (report,) = polls(home, watcher)
    assert release(home.results, "return", report.drop.drop_id) is True
    assert [again.status for again in polls(home, watcher)] == [Status.REJECTED]


@pytest.mark.parametrize("written", ["no marker", "_temporary"])
def test_a_half_written_drop_is_left_alone_and_named_once(home: Home, written: str) -> None:
    write_part(home.drops, "dt=1/_temporary/0/task/" if written == "_temporary" else "dt=1/")
    if written == "_temporary":
        write_drop(home.drops, "dt=1/")
    before = list(home.drops.list())
    watcher = watcher_of(home)
    with capture_logs() as logs:
        for _ in range(HOUSEKEEPING_EVERY + 1):
            assert polls(home, watcher) == []
    (line,) = logs
    assert (line["event"], line["url"]) == ("drop_waiting", home.drops.url + "dt=1/")
    assert (MARKER in line["reason"]) is (written == "no marker")
    assert list(home.drops.list()) == before


def test_a_drop_that_another_worker_holds_is_left_to_it(home: Home) -> None:
    write_drop(home.drops, "dt=1/")
    drop = snapshot_at(home.drops, "dt=1/")
    assert Claims(home.results, "return", "another", 300, home.clock).take(drop.drop_id) is not None
    with capture_logs() as logs:
        assert polls(home, watcher_of(home)) == []
    assert len(events(logs, "claim_held_elsewhere")) == 1


def test_the_claim_is_released_whatever_happens(home: Home) -> None:
    for folder, says in (("dt=1/", "fine"), ("dt=2/", "rejected"), ("dt=3/", "broken")):
        write_drop(home.drops, folder, says)
    reports = polls(home, watcher_of(home))
    cells = [home.results.read(claim_key("return", report.drop.drop_id))[0] for report in reports]
    assert len(cells) == 3
    assert [b'"state": "released"' in cell for cell in cells] == [True] * 3


@pytest.mark.parametrize("says", ["failing", "broken"])
def test_a_run_that_fails_is_tried_twice_again_and_then_put_aside(local_home: Home, says: str) -> None:
    home = local_home
    write_drop(home.drops, "dt=1/", says)
    watcher = watcher_of(home)
    (report,) = polls(home, watcher)
    assert (report.status, report.exit_code) == (Status.FAILED, Exit.RUN_FAILED)
    drop_id = report.drop.drop_id
    assert watcher.poll().reports == ()
    home.clock.now += 15.0
    assert len(watcher.poll().reports) == 1
    home.clock.now += 29.0
    assert watcher.poll().reports == ()
    assert is_quarantined(home.results, "return", drop_id) is False
    home.clock.now += 1.0
    assert len(watcher.poll().reports) == 1
    assert is_quarantined(home.results, "return", drop_id) is True


def test_a_drop_whose_store_fails_does_not_hold_up_the_others(local_home: Home) -> None:
    write_drop(local_home.drops, "dt=1/", "unreachable")
    write_drop(local_home.drops, "dt=2/")
    first, second = polls(local_home, watcher_of(local_home))
    assert (first.exit_code, second.exit_code) == (Exit.STORE_FAILED, Exit.DONE)


def test_nothing_more_is_looked_at_once_the_process_is_to_stop(local_home: Home) -> None:
    write_part(local_home.drops, "dt=1/")
    local_home.app.stop.set("SIGTERM")
    with capture_logs() as logs:
        assert watcher_of(local_home).poll() == Pass()
    assert logs == []  # it would have named the folder without a marker


def test_no_other_drop_is_begun_after_one_was_abandoned(local_home: Home) -> None:
    write_drop(local_home.drops, "dt=1/", "slow")
    write_drop(local_home.drops, "dt=2/")
    threading.Timer(0.2, local_home.app.stop.set, ("SIGTERM",)).start()
    with capture_logs() as logs:
        assert [report.status for report in polls(local_home, watcher_of(local_home))] == [Status.ABANDONED]
    assert len(events(logs, "claim_taken")) == 1


def test_an_abandoned_run_leaves_the_drop_as_it_was(local_home: Home) -> None:
    write_drop(local_home.drops, "dt=1/", "slow")
    before = list(local_home.drops.list())
    worker = local_home.app.worker(local_home.problem)
    local_home.app.stop.set("SIGTERM")
    with capture_logs() as logs:
        report = worker.work_on(snapshot_at(local_home.drops, "dt=1/"))
    assert report is not None
    assert (report.status, report.exit_code) == (Status.ABANDONED, Exit.DONE)
    (line,) = events(logs, "run_abandoned")
    assert (line["drop_id"], "SIGTERM" in line["reason"]) == (report.drop.drop_id, True)
    assert list(local_home.drops.list()) == before


def test_a_drop_that_was_done_before_it_was_claimed_is_not_worked_on(local_home: Home) -> None:
    home = local_home
    write_drop(home.drops, "dt=1/")
    drop = snapshot_at(home.drops, "dt=1/")
    worker = home.app.worker(home.problem)
    assert [report.status for _ in range(2) if (report := worker.work_on(drop))] == ["committed", "already_done"]


class Failing:
    """A store that raises an error when it is first written to or listed, and works from then on."""

    def __init__(self, store: Any, error: Exception) -> None:  # noqa: ANN401 - any store
        self._store = store
        self._errors = [error]

    def create(self, key: str, body: bytes) -> ObjectInfo:
        """Raise once, then create."""
        if self._errors:
            raise self._errors.pop()
        return self._store.create(key, body)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else of the store
        """Return what the store itself has."""
        return getattr(self._store, name)


def failing_watcher(home: Home, error: Exception) -> Watcher:
    worker = home.app.worker(home.problem)
    object.__setattr__(worker, "results", Failing(home.results, error))
    return Watcher(worker, home.app.open_store, home.clock)


def test_a_store_that_fails_is_asked_again_later(local_home: Home) -> None:
    write_drop(local_home.drops, "dt=1/")
    watcher = failing_watcher(local_home, StorageUnavailable("create", "key", "no answer"))
    with capture_logs() as logs:
        failed = watcher.poll()
    assert (failed.exit_code, failed.settle_seconds) == (Exit.STORE_FAILED, None)
    assert [(line["event"], line["retry_seconds"]) for line in logs] == [("store_failed", 15.0)]
    local_home.clock.now += 14.0
    assert watcher.poll().settle_seconds is None
    local_home.clock.now += 1.0
    assert watcher.poll().settle_seconds == 60.0


def test_an_unsafe_store_ends_the_service(local_home: Home) -> None:
    error = UnsafeStore("probe", "key", "it ignores conditions")
    assert failing_watcher(local_home, error).poll().exit_code == Exit.STORE_FAILED
    assert local_home.app.stop.error is error


def test_a_commit_that_cannot_be_finished_does_not_hold_up_new_drops(local_home: Home) -> None:
    local_home.results.write("return/runs/broken/COMMIT.json", b"torn")
    write_drop(local_home.drops, "dt=1/")
    watcher = watcher_of(local_home)
    with capture_logs() as logs:
        assert watcher.poll().exit_code == Exit.STORE_FAILED
        local_home.clock.now += 61
        assert [report.status for report in watcher.poll().reports] == [Status.COMMITTED]
    assert len(events(logs, "sweep_failed")) == 1


def test_drops_are_kept_where_the_problem_says_so(local_home: Home) -> None:
    write_drop(local_home.drops, "dt=1/")
    before = list(local_home.drops.list())
    problem = local_home.problem.model_copy(update={"keep_inputs": True})
    watcher = local_home.app.watcher(problem)
    with capture_logs() as logs:
        assert len(polls(local_home, watcher)) == 1
    assert len(events(logs, "inputs_kept")) == 1
    assert list(local_home.drops.list()) == before
    assert polls(local_home, watcher) == []


def test_a_quarantine_by_another_worker_counts(local_home: Home) -> None:
    write_drop(local_home.drops, "dt=1/")
    drop = snapshot_at(local_home.drops, "dt=1/")
    put_aside(local_home.results, "return", drop, error="E", message="m", found_at=drop.marker.modified)
    assert polls(local_home, watcher_of(local_home)) == []


def test_a_damaged_claim_holds_up_its_own_drop_only(local_home: Home) -> None:
    for folder in ("dt=1/", "dt=2/"):
        write_drop(local_home.drops, folder)
    damaged = snapshot_at(local_home.drops, "dt=1/").drop_id
    local_home.results.write(claim_key("return", damaged), b"torn")
    watcher = watcher_of(local_home)
    with capture_logs() as logs:
        assert [report.drop.prefix for report in polls(local_home, watcher)] == ["dt=2/"]
        assert watcher.poll().exit_code == Exit.STORE_FAILED
    assert len(events(logs, "drop_left_alone")) == 1


def test_a_marker_that_a_run_left_behind_is_collected_after_a_day(local_home: Home, tmp_path: Path) -> None:
    marker = tmp_path / "drops/dt=1" / MARKER
    marker.parent.mkdir(parents=True)
    marker.touch()
    for age_days, is_there in ((0.9, True), (1.1, False)):
        touched = time.time() - age_days * 86_400
        os.utime(marker, (touched, touched))
        drop = snapshot_at(local_home.drops, "dt=1/")
        local_home.results.write(done_key("return", drop.drop_id), b"{}")
        assert polls(local_home, watcher_of(local_home)) == []
        assert marker.exists() is is_there


def watcher_that_saw_a_dead_writer(home: Home) -> Watcher:
    write_drop(home.drops, "dt=1/")
    home.drops.write("dt=1/_temporary/0/part-0.parquet", b"a writer that died")
    watcher = watcher_of(home)
    watcher.poll()
    return watcher


def test_a_folder_that_stays_unfinished_for_a_day_is_put_aside_untouched(local_home: Home) -> None:
    watcher = watcher_that_saw_a_dead_writer(local_home)
    local_home.clock.now += 23 * 3600.0
    watcher.poll()
    assert read_all(local_home.results, "return") == []
    local_home.clock.now += 3600.0
    before = keys(local_home.drops.list())
    with capture_logs() as logs:
        watcher.poll()
    (aside,) = read_all(local_home.results, "return")
    assert "a writer is at work in _temporary/" in aside.message
    (told,) = events(logs, "drop_quarantined")
    assert (told["log_level"], told["unchanged_hours"]) == ("error", 24.0)
    assert keys(local_home.drops.list()) == before
    local_home.drops.delete(local_home.drops.head("dt=1/_temporary/0/part-0.parquet"))
    assert len(polls(local_home, watcher)) == 1


def test_a_folder_released_from_quarantine_is_waited_for_anew(local_home: Home) -> None:
    watcher = watcher_that_saw_a_dead_writer(local_home)
    local_home.clock.now += 25 * 3600.0
    watcher.poll()
    (aside,) = read_all(local_home.results, "return")
    assert release(local_home.results, "return", aside.drop_id)
    watcher.poll()
    local_home.clock.now += 23 * 3600.0
    watcher.poll()
    assert read_all(local_home.results, "return") == []


def test_a_quiet_folder_is_worked_on_when_nothing_has_changed_for_long(local_home: Home) -> None:
    complete = local_home.problem.complete.model_copy(update={"rule": "quiet_period", "quiet_seconds": 300.0})
    watcher = local_home.app.watcher(local_home.problem.model_copy(update={"complete": complete}))
    write_part(local_home.drops, "dt=1/")
    assert watcher.poll().settle_seconds == 300.0
    local_home.clock.now += 299.0
    assert watcher.poll().reports == ()
    local_home.clock.now += 2.0
    (report,) = watcher.poll().reports
    assert report.status is Status.COMMITTED
    assert keys(local_home.drops.list()) == []


def test_what_a_crash_left_is_tidied_now_and_then(local_home: Home) -> None:
    orphan = "return/runs/r1/attempt-1-0f7c0e2c-1f0e-4c52-9d5f-0123456789ab/metrics.json"
    local_home.results.write(orphan, b"{}")
    long_ago = (datetime.now(UTC) - timedelta(days=8)).timestamp()
    path = Path(local_home.results.url.removeprefix("file://"), orphan)
    os.utime(path, (long_ago, long_ago))
    with capture_logs() as logs:
        watcher_of(local_home).poll()
    assert not path.exists()
    assert events(logs, "tidied")[0]["orphan_attempts"] == 1
