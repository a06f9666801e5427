"""One error, one consequence."""

import pytest

from jobs.errors import Abandoned, EmptyDrop, InputRejected, LossDiverged, MissingLabel, OutOfMemory, TrainingFailed
from service.retry import Decision, LeaveAlone, Quarantine, RetryLater, Stop, what_follows
from storage.errors import (
    AccessDenied,
    ClaimLost,
    CorruptObject,
    DropIncomplete,
    ObjectChanged,
    ObjectExists,
    ObjectMissing,
    SchemaConflict,
    StorageUnavailable,
    UnsafeStore,
)

WHERE = ("read", "key", "found")


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        (InputRejected("no"), Quarantine()),
        (MissingLabel("no"), Quarantine()),
        (EmptyDrop("no"), Quarantine()),
        (CorruptObject(*WHERE), Quarantine()),
        (SchemaConflict(*WHERE), Quarantine()),
        (OutOfMemory("no"), Quarantine()),
        (ObjectChanged(*WHERE), LeaveAlone()),
        (ObjectMissing(*WHERE), LeaveAlone()),
        (DropIncomplete(*WHERE), LeaveAlone()),
        (ClaimLost(*WHERE), LeaveAlone()),
        (Abandoned("stop"), LeaveAlone()),
        (StorageUnavailable(*WHERE), RetryLater(15.0)),
        (AccessDenied(*WHERE), RetryLater(600.0)),
        (UnsafeStore(*WHERE), Stop()),
        (TrainingFailed("no"), RetryLater(15.0)),
        (LossDiverged("nan"), RetryLater(15.0)),
        (ObjectExists(*WHERE), RetryLater(15.0)),
        (ZeroDivisionError(), RetryLater(15.0)),
        (MemoryError(), RetryLater(15.0)),
    ],
)
def test_every_error_has_one_consequence(error: Exception, decision: Decision) -> None:
    assert what_follows(error, 1) == decision


def test_a_store_that_does_not_answer_is_asked_more_rarely_and_never_given_up() -> None:
    delays = [what_follows(StorageUnavailable(*WHERE), failures) for failures in (1, 2, 3, 7, 8, 10_000)]
    assert delays == [RetryLater(seconds) for seconds in (15.0, 30.0, 60.0, 120.0, 120.0, 120.0)]


@pytest.mark.parametrize("error", [TrainingFailed("no"), ZeroDivisionError()])
def test_work_that_fails_a_third_time_is_put_aside(error: Exception) -> None:
    decisions = [what_follows(error, failures) for failures in (1, 2, 3)]
    assert decisions == [RetryLater(15.0), RetryLater(30.0), Quarantine()]


def test_a_denial_is_not_asked_about_more_often_nor_given_up() -> None:
    assert what_follows(AccessDenied(*WHERE), 50) == RetryLater(600.0)
