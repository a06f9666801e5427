"""What follows from a commit for its inputs: exact deletes, tombstone; and the sweep that finishes what a crash left.

Everything here is driven by the COMMIT, not by the marker, and may be repeated any time by any number of workers:
the commit names versions, and a version that is gone, changed or protected is an answer, not a failure. Nothing that
the commit does not name is ever deleted. A marker goes last, and only where that can be exact: on S3 without versions
all empty markers look alike, so it stays, with a tombstone for what it now stands over. Source: docs/protocol.md, P6
to P8.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from storage.attempts import Attempt, commit, discard_attempt, publish
from storage.committed import Commit, Output, read_commit
from storage.drops import as_found, declaration_of, folder_at
from storage.errors import ObjectExists, ObjectMissing, StorageError
from storage.keys import COMMIT, done_key, finished_key, is_unique, parse_run_object, runs_prefix
from storage.ledger import enter_in_ledger, update_latest
from storage.snapshots import Snapshot
from storage.store import Deletion, ObjectInfo, ObjectStore
from storage.trash import copy_to_trash

__all__ = [
    "MARKER_REST",
    "Attempt",
    "Commit",
    "Finished",
    "Output",
    "collect_marker",
    "commit",
    "discard_attempt",
    "finish",
    "is_done",
    "publish",
    "read_commit",
    "sweep",
]

MARKER_REST = timedelta(days=1)  # how long a leftover marker stays, so that no writer is still about to use its folder

Status = Literal["done", "inputs_retained", "inputs_kept"]


@dataclass(frozen=True, slots=True)
class Finished:
    """How the inputs of a commit ended.

    Attributes:
        run_id: the run.
        drop_id: its drop.
        status: done; inputs_retained: the store refused to delete some of them; inputs_kept: we were told to keep them.
        deleted, gone, changed, denied: keys, relative to the store of the drop, by what became of them.
        left: keys that were not tried: a marker that cannot be deleted exactly.
    """

    run_id: str
    drop_id: str
    status: Status
    deleted: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def finish(results_store: ObjectStore, drops_store: ObjectStore, standing: Commit) -> Finished:
    """Do everything that follows from a commit. Safe to repeat, and to interrupt anywhere.

    Args:
        results_store: where the commit is.
        drops_store: the store that its inputs are relative to.
        standing: a commit that stands.

    Returns:
        What became of the inputs, this time: after an interruption those deleted before it are `gone`.
    """
    enter_in_ledger(results_store, standing)
    update_latest(results_store, standing)
    if standing.keep_inputs:
        finished = Finished(standing.run_id, standing.drop_id, "inputs_kept")
    else:
        if standing.retention_days:
            copy_to_trash(results_store, drops_store, standing)
        finished = _delete_inputs(drops_store, standing)
        _bury_remains(results_store, drops_store, standing, finished.status)
    _bury(results_store, standing, standing.drop_id, finished.status)
    _create_once(results_store, finished_key(standing.problem, standing.run_id), asdict(finished))
    return finished


def sweep(results_store: ObjectStore, problem: str, open_drops_store: Callable[[str], ObjectStore]) -> list[Finished]:
    """Finish every commit of a problem that nobody has finished.

    Args:
        results_store: where the commits are; the runs are listed once.
        problem: the problem.
        open_drops_store: opens the store with this URL.

    Raises:
        StorageError: the first failure, after all other commits were finished.
    """
    swept: list[Finished] = []
    failures: list[StorageError] = []
    for run_id in _unfinished(results_store, problem):
        try:
            standing = read_commit(results_store, problem, run_id)
            swept.append(finish(results_store, open_drops_store(standing.consumed.store_url), standing))
        except StorageError as error:  # one store that is down must not hold up the others
            failures.append(error)
    if failures:
        raise failures[0]
    return swept


def is_done(store: ObjectStore, problem: str, drop_id: str) -> bool:
    """Tell whether a drop has its tombstone: there is nothing left to do for it."""
    try:
        store.head(done_key(problem, drop_id))
    except ObjectMissing:
        return False
    return True


def collect_marker(
    results_store: ObjectStore, drops_store: ObjectStore, problem: str, bare: Snapshot, now: datetime
) -> Deletion | None:
    """Remove a marker that a finished drop left behind, once nothing else is in its folder and it is a day old.

    Args:
        results_store: where the tombstones are.
        drops_store: where the marker is.
        problem: the problem.
        bare: the snapshot of the folder.
        now: by the clock of the store, as near as may be.

    Returns:
        What became of it; None if it is to stay.
    """
    is_due = not bare.parts and now - bare.marker.modified >= MARKER_REST
    if not is_due or not is_done(results_store, problem, bare.drop_id):
        return None
    if any(info.key != bare.marker.key for info in drops_store.list(bare.prefix)):
        return None
    return drops_store.delete(bare.marker)


def _delete_inputs(drops_store: ObjectStore, standing: Commit) -> Finished:
    """Delete exactly what the commit names: data first, then the marker if no data was refused."""
    consumed = standing.consumed
    outcomes: dict[str, Deletion | None] = {part.key: drops_store.delete(part) for part in consumed.parts}
    retained = Deletion.DENIED in outcomes.values()
    if consumed.marker not in consumed.parts:
        may_go = not retained and _is_exact(drops_store, consumed.marker)
        outcomes[consumed.marker.key] = drops_store.delete(consumed.marker) if may_go else None

    def keys(outcome: Deletion | None) -> tuple[str, ...]:
        return tuple(key for key, found in outcomes.items() if found is outcome)

    return Finished(
        standing.run_id,
        standing.drop_id,
        "inputs_retained" if retained else "done",
        deleted=keys(Deletion.DELETED),
        gone=keys(Deletion.GONE),
        changed=keys(Deletion.CHANGED),
        denied=keys(Deletion.DENIED),
        left=keys(None),
    )


def _is_exact(drops_store: ObjectStore, marker: ObjectInfo) -> bool:
    """Tell whether this marker can be told from the next one: by version, by its file, or by a UUID in its content.

    Content alone does not do: a writer may write the same text every day.
    """
    if marker.version is not None or drops_store.url.startswith("file:"):
        return True
    if marker.size == 0:
        return False
    try:
        body, there = drops_store.read(marker.key)
    except ObjectMissing:
        return True  # and the delete finds it gone
    return there.etag != marker.etag or is_unique(body.decode(errors="replace"))


def _bury_remains(results_store: ObjectStore, drops_store: ObjectStore, standing: Commit, status: Status) -> None:
    """Mark what the folder still shows of the finished drop as done: it must not look like a smaller new drop.

    That is a marker or parts that could not be deleted, and on a bucket with versions what these had replaced: it comes
    to light when they go.
    """
    consumed = standing.consumed
    known = {info.key: info for info in (*consumed.parts, consumed.marker)}
    remains: set[str] = set()
    for holds_tables in (False, True):  # as either kind of problem will see it
        folder = folder_at(drops_store, consumed.prefix, declaration_of(consumed), holds_tables=holds_tables)
        if folder and all(_is_ours_or_older(info, known) for info in (*folder.parts, folder.marker)):
            remains.add(as_found(folder).drop_id)
    for drop_id in sorted(remains):
        _bury(results_store, standing, drop_id, status)


def _is_ours_or_older(info: ObjectInfo, known: Mapping[str, ObjectInfo]) -> bool:
    if info.key not in known:
        return False
    ours = known[info.key]
    return info == ours or (info.version is not None and info.modified < ours.modified)


def _bury(results_store: ObjectStore, standing: Commit, drop_id: str, status: Status) -> None:
    values = {"drop_id": drop_id, "run_id": standing.run_id, "url": standing.consumed.url, "status": status}
    _create_once(results_store, done_key(standing.problem, drop_id), values)


def _create_once(store: ObjectStore, key: str, values: Mapping[str, object]) -> None:
    """Write a control object whose existence is what counts."""
    try:
        store.create(key, json.dumps(values, indent=1, sort_keys=True).encode())
    except ObjectExists:
        return


def _unfinished(store: ObjectStore, problem: str) -> list[str]:
    """Return the runs that have a COMMIT and no FINISHED, from one listing."""
    found = [parsed for info in store.list(runs_prefix(problem)) if (parsed := parse_run_object(info.key))]
    committed = {run_id for _, run_id, name in found if name == COMMIT}
    return sorted(committed - {run_id for _, run_id, name in found if name != COMMIT})
