"""What a job is given, and what it leaves."""

from dataclasses import dataclass

from config import Problem
from storage import ObjectStore
from storage.commits import Commit, Finished
from storage.drops import Snapshot


@dataclass(frozen=True, slots=True)
class Work:
    """One drop to be worked on.

    Attributes:
        problem: what is asked of it.
        drop: the exact objects.
        drops: the store that holds them.
        results: the store that takes what the run leaves.
        fence: of the claim under which the work is done.
        threads: cores that may be used.
        max_memory: bytes; None: no limit.
    """

    problem: Problem
    drop: Snapshot
    drops: ObjectStore
    results: ObjectStore
    fence: int
    threads: int
    max_memory: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A committed run.

    Attributes:
        commit: what stands in the results store.
        finished: what became of the inputs.
        is_new: whether this work made it; False: an earlier attempt had committed it already.
    """

    commit: Commit
    finished: Finished
    is_new: bool
