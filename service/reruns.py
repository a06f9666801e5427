"""Whether a drop that is done is to be run again: only where the whole drop is still there and something else is asked.

The tombstone speaks of the drop alone; a run is the drop under one problem and one code. The service goes by the first,
so that it never works twice on inputs that are kept; who names a drop is answered by the second.
"""

from config import Problem
from jobs.lineage import code_version
from storage import ObjectStore
from storage.commits import is_done, read_commit
from storage.committed import run_of_drop
from storage.drops import Snapshot
from storage.errors import ObjectMissing
from storage.keys import finished_key, run_id_of
from storage.store import exists


def answering_run(results: ObjectStore, problem: Problem, drop: Snapshot) -> str | None:
    """Return the run that answers for a drop, or None if it is to be run.

    Args:
        results: the results store.
        problem: what is asked.
        drop: what is there now.

    Returns:
        The finished run under this problem and this code; another run where it left nothing to ask again.

    Raises:
        CorruptObject: the tombstone, or the commit that it names, is damaged.
    """
    asked = run_id_of(drop.drop_id, problem.canonical_json(), code_version())
    if exists(results, finished_key(problem.problem, asked)):
        return asked
    if not is_done(results, problem.problem, drop.drop_id):
        return None
    earlier = run_of_drop(results, problem.problem, drop.drop_id)
    is_whole = bool(drop.parts) and _consumed(results, problem.problem, earlier) == drop.drop_id
    return None if is_whole and earlier != asked else earlier


def were_inputs_kept(results: ObjectStore, problem: Problem, run_id: str) -> bool:
    """Tell whether a run kept inputs that are now asked to be deleted."""
    return not problem.keep_inputs and read_commit(results, problem.problem, run_id).keep_inputs


def _consumed(results: ObjectStore, problem: str, run_id: str) -> str | None:
    """Return the drop that a run worked on: the tombstone of what it left over has the name of the remains."""
    try:
        return read_commit(results, problem, run_id).drop_id
    except ObjectMissing:  # an operator has removed the run
        return None
