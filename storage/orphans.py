"""Removes what crashes left and nothing will ever use: attempts that do not count, writes that never ended, probe keys.

Nothing here can touch a run: an attempt goes only when the COMMIT of its run names another one, or when there has been
no COMMIT for a week; and whoever commits looks once more whether the attempt is still whole. Source: docs/protocol.md,
P5.
"""

from datetime import datetime, timedelta

from storage.attempts import discard_attempt
from storage.committed import read_commit
from storage.errors import ObjectMissing
from storage.keys import PROBE_FOLDER, attempt_folder_of, parse_attempt_folder, runs_prefix
from storage.store import ObjectStore

SUPERSEDED_REST = timedelta(hours=1)  # an attempt beside the one that counts; its worker removes it itself if it lives
UNCOMMITTED_REST = timedelta(days=7)  # an attempt of a run without a COMMIT; a paused worker may still wake
UNFINISHED_REST = timedelta(days=1)  # a write of one object


def collect_orphans(store: ObjectStore, problem: str, now: datetime) -> list[str]:
    """Remove the attempts of a problem that will never count, from one listing of its runs.

    Args:
        store: the results store.
        problem: the problem.
        now: by the clock of the store, as near as may be.

    Returns:
        The folders that are gone now.
    """
    newest: dict[str, datetime] = {}
    for info in store.list(runs_prefix(problem)):
        folder = attempt_folder_of(info.key)
        if folder is not None:
            newest[folder] = max(newest.get(folder, info.modified), info.modified)
    orphans = [folder for folder, modified in newest.items() if _is_orphan(store, folder, now - modified)]
    for folder in orphans:
        discard_attempt(store, folder)
    return orphans


def collect_leftovers(store: ObjectStore, now: datetime) -> int:
    """Remove what unfinished writes and interrupted probes have left in a store a day ago or earlier.

    Args:
        store: any store that we write to.
        now: by its clock, as near as may be.

    Returns:
        How many there were.
    """
    before = now - UNFINISHED_REST
    stale = [info for info in store.list(PROBE_FOLDER) if info.modified < before]
    for info in stale:
        store.delete(info)
    return len(stale) + store.discard_unfinished(before)


def _is_orphan(store: ObjectStore, folder: str, age: timedelta) -> bool:
    if age < SUPERSEDED_REST:
        return False
    parsed = parse_attempt_folder(folder)
    if parsed is None:
        return False
    try:
        return read_commit(store, parsed[0], parsed[1]).attempt != folder
    except ObjectMissing:
        return age >= UNCOMMITTED_REST
