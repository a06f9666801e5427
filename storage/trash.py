"""The trash: consumed inputs that stay for some days in the results store, for whoever wants a run done again.

A part is copied before it is deleted. Its place in the trash follows from the commit alone, so that a sweep that comes
after a crash finds what is there already; its name says until when it stays.
"""

from datetime import UTC, date, datetime, timedelta

from storage.committed import Commit
from storage.errors import CorruptObject, ObjectChanged, ObjectExists, ObjectMissing
from storage.keys import parse_trash_key, trash_folder, trash_prefix
from storage.store import ObjectInfo, ObjectStore, exists


def copy_to_trash(results_store: ObjectStore, drops_store: ObjectStore, standing: Commit) -> None:
    """Copy every input of a commit that is still as it was into the trash; those that are there stay as they are.

    Args:
        results_store: where the trash is.
        drops_store: where the inputs are.
        standing: a commit with `retention_days`.

    Raises:
        CorruptObject: a copy is not what was read.
    """
    kept = {info.key: info.size for info in results_store.list(_folder_of(standing))}
    for info in _inputs(standing):
        key = _key_of(standing, info)
        if kept.get(key) != info.size:
            _copy(results_store, drops_store, info, key)


def restore(results_store: ObjectStore, drops_store: ObjectStore, standing: Commit) -> list[str]:
    """Bring the inputs of a commit back to where they were, what declares them finished last.

    Args:
        results_store: where the trash is.
        drops_store: where they were.
        standing: the commit.

    Returns:
        The keys that are back, relative to the store of the drop.

    Raises:
        ObjectMissing: the trash has not all of them (any more); nothing was brought back.
        ObjectExists: another object is where one of them was; nothing was brought back.
    """
    there = {info.key: info for info in results_store.list(_folder_of(standing))}
    inputs = _inputs(standing)
    for info in inputs:
        if _key_of(standing, info) not in there:
            hint = "Only runs with retention_days keep their inputs, and only so long"
            url = results_store.url + _key_of(standing, info)
            raise ObjectMissing("restore", url, "the input is not in the trash", hint)
        if _is_in_the_way(drops_store, standing, info):
            hint = "Move it away, then ask again"
            raise ObjectExists("restore", drops_store.url + info.key, "another object is there", hint)
    for info in inputs:
        with results_store.open(there[_key_of(standing, info)]) as file:
            drops_store.write(info.key, file)
    return [info.key for info in inputs]


def empty_trash(store: ObjectStore, problem: str, now: datetime) -> int:
    """Delete what has been in the trash of a problem for long enough; return how many objects.

    Args:
        store: the results store.
        problem: the problem.
        now: the time, with its zone.
    """
    today = now.astimezone(UTC).date()
    due = [info for info in store.list(trash_prefix(problem)) if _is_due(info.key, today)]
    for info in due:
        store.delete(info)
    return len(due)


def _inputs(standing: Commit) -> list[ObjectInfo]:
    """Return all inputs, what declares them finished last."""
    marker = standing.consumed.marker
    return [*(part for part in standing.consumed.parts if part != marker), marker]


def _folder_of(standing: Commit) -> str:
    until = standing.committed_at.astimezone(UTC).date() + timedelta(days=standing.retention_days + 1)
    return trash_folder(until, standing.attempt)


def _key_of(standing: Commit, info: ObjectInfo) -> str:
    return _folder_of(standing) + info.key.removeprefix(standing.consumed.prefix)


def _copy(results_store: ObjectStore, drops_store: ObjectStore, info: ObjectInfo, key: str) -> None:
    try:
        with drops_store.open(info) as file:
            copy = results_store.write(key, file)
    except (ObjectMissing, ObjectChanged):  # not ours any more: it will not be deleted either
        return
    if copy.size != info.size:
        raise CorruptObject("copy", results_store.url + key, f"{copy.size} bytes are there, {info.size} were read")


def _is_in_the_way(drops_store: ObjectStore, standing: Commit, info: ObjectInfo) -> bool:
    """Tell whether something else is there; a marker that could not be deleted is none."""
    if info == standing.consumed.marker and info not in standing.consumed.parts:
        return False
    return exists(drops_store, info.key)


def _is_due(key: str, today: date) -> bool:
    until = parse_trash_key(key)
    return until is not None and until <= today
