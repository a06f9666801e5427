"""Removes what crashes left and nothing will ever use: attempts that do not count, trials of searches, unended writes.

Nothing here can touch a run: an attempt goes only when the COMMIT of its run names another one, or when there has been
no COMMIT for a week; and whoever commits looks once more whether the attempt is still whole. Source: docs/protocol.md,
P5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.attempts import discard_attempt
from storage.committed import read_commit
from storage.keys import (
    PROBE_FOLDER,
    attempt_folder_of,
    parse_attempt_folder,
    parse_run_object,
    parse_trials_key,
    runs_prefix,
)
from storage.store import ObjectInfo, ObjectStore

SUPERSEDED_REST = timedelta(hours=1)  # an attempt beside the one that counts; its worker removes it itself if it lives
UNCOMMITTED_REST = timedelta(days=7)  # an attempt of a run without a COMMIT; a paused worker may still wake
UNFINISHED_REST = timedelta(days=1)  # a write of one object


def collect_orphans(store: ObjectStore, problem: str, now: datetime) -> list[str]:
    """Remove the attempts of a problem that will never count, and trials that nobody goes on with, from one listing.

    Args:
        store: the results store.
        problem: the problem.
        now: by the clock of the store, as near as may be.

    Returns:
        The folders, and the keys of trials, that are gone now.
    """
    found = _listed(store, problem)
    orphans: list[str] = []
    for run_id, folders in found.attempts.items():
        if run_id not in found.committed:
            orphans += _older(folders, now - UNCOMMITTED_REST)
        elif len(folders) > 1:  # a lone attempt is the one that counts: the commit need not be read
            standing = read_commit(store, problem, run_id).attempt
            orphans += [folder for folder in _older(folders, now - SUPERSEDED_REST) if folder != standing]
    for folder in orphans:
        discard_attempt(store, folder)
    for run_id, info in found.trials.items():
        if info.modified <= now - (SUPERSEDED_REST if run_id in found.committed else UNCOMMITTED_REST):
            store.delete(info)
            orphans.append(info.key)
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


@dataclass(frozen=True, slots=True)
class _Listed:
    """The runs of a problem: those with a commit; by run_id their attempts, each with its newest object, and trials."""

    committed: set[str] = field(default_factory=set[str])
    attempts: dict[str, dict[str, datetime]] = field(default_factory=dict[str, dict[str, datetime]])
    trials: dict[str, ObjectInfo] = field(default_factory=dict[str, ObjectInfo])


def _listed(store: ObjectStore, problem: str) -> _Listed:
    found = _Listed()
    for info in store.list(runs_prefix(problem)):
        if (run := parse_run_object(info.key)) is not None:
            found.committed.add(run[1])
        elif (searched := parse_trials_key(info.key)) is not None:
            found.trials[searched] = info
        elif (folder := attempt_folder_of(info.key)) is not None and (parsed := parse_attempt_folder(folder)):
            of_run = found.attempts.setdefault(parsed[1], {})
            of_run[folder] = max(of_run.get(folder, info.modified), info.modified)
    return found


def _older(folders: Mapping[str, datetime], limit: datetime) -> list[str]:
    return [folder for folder, modified in folders.items() if modified <= limit]
