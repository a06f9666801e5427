"""The trials of a search, kept beside its run: an attempt that was killed is gone on with, not begun again.

The object is named after the run, so it is the same drop, problem and code that goes on. Whoever writes last wins:
every writer writes all trials that it knows, and a trial more or less costs time only. It goes when a commit stands.
"""

import json
from dataclasses import asdict
from typing import Protocol

from jobs.net.tuning import Trial, Trials
from storage.errors import ObjectMissing
from storage.keys import trials_key
from storage.store import ObjectStore


class Journal(Protocol):
    """Remembers the ended trials of a search."""

    def read(self) -> Trials:
        """Return the trials that ended before."""
        ...

    def write(self, trials: Trials) -> None:
        """Keep all trials that have ended."""
        ...


class Forgetful:
    """A journal that keeps nothing."""

    def read(self) -> Trials:
        """Return no trials."""
        return ()

    def write(self, trials: Trials) -> None:
        """Do nothing."""


FORGETFUL = Forgetful()


class RunJournal:
    """The journal of one run.

    Args:
        store: the results store.
        problem: the problem.
        run_id: the run.
    """

    def __init__(self, store: ObjectStore, problem: str, run_id: str) -> None:
        self._store, self._key = store, trials_key(problem, run_id)

    def read(self) -> Trials:
        """Return the trials that earlier attempts ended; none if what is there cannot be read as trials."""
        try:
            body, _ = self._store.read(self._key)
            return tuple(Trial(**fields | {"losses": tuple(fields["losses"])}) for fields in json.loads(body))
        except (ObjectMissing, ValueError, TypeError, KeyError):
            return ()

    def write(self, trials: Trials) -> None:
        """Keep all trials that have ended."""
        self._store.write(self._key, json.dumps([asdict(trial) for trial in trials], indent=1).encode())

    def discard(self) -> None:
        """Remove the journal, if there is one: the run has its commit."""
        try:
            self._store.delete(self._store.head(self._key))
        except ObjectMissing:
            return
