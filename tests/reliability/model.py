"""The protocol as a small machine, and every state that it can reach: two workers, a producer, crashes, one denial.

One folder holds a marker and two parts, each a version (0: absent). The producer replaces all of them once, in the
order of Spark's static overwrite. A worker lists twice, claims, reads, commits, deletes part by part, then the marker,
and buries; it may crash before any step. A claim may run out at any time, so nothing here rests on a clock. Without a
guard of GUARDS the search finds a state that breaks a promise; with all of them it finds none.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

READ_IF_MATCH = "a part is read only as the version of the snapshot"
DELETE_IF_MATCH = "a version is deleted only if it is the one that was consumed"
STABLE = "two listings must agree, and the producer's write must be whole"
COMMIT_FIRST = "nothing is deleted before the commit"
COMMIT_ONCE = "a run is committed once"
SWEEP = "a commit that is not finished is swept"
GUARDS = frozenset({READ_IF_MATCH, DELETE_IF_MATCH, STABLE, COMMIT_FIRST, COMMIT_ONCE, SWEEP})

Folder = tuple[int, int, int]  # versions of the marker and of both parts
_ABSENT, _OLD, _NEW = 0, 1, 2
_REPLACING = ((1, _ABSENT), (0, _ABSENT), (2, _ABSENT), (1, _NEW), (2, _NEW), (0, _NEW))  # place, version
_MOST_CRASHES, _MOST_DENIALS = 2, 1


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker is about to do, and what it knows."""

    step: str = "idle"
    seen: Folder = (0, 0, 0)
    read: Folder = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class State:
    """Everything.

    Attributes:
        folder: what is there.
        producer: how many steps of its replacement are done.
        claim: who holds it, and whether it has run out.
        commits: what was consumed by each commit, by (what was read), once for every commit that was written.
        buried: commits that are finished.
        wrong: whether something was deleted that no commit had consumed.
    """

    folder: Folder = (_OLD, _OLD, _OLD)
    producer: int = 0
    claim: tuple[int, bool] | None = None
    commits: tuple[tuple[Folder, Folder], ...] = ()
    buried: frozenset[Folder] = frozenset()
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    crashes: int = 0
    denials: int = 0
    wrong: bool = False

    def broken(self) -> str:
        """Say which promise is broken, or nothing."""
        if self.wrong:
            return "something was deleted that no commit had consumed"
        for _, read in self.commits:
            if read[1] != read[2] or _ABSENT in read[1:]:
                return f"a commit consumed parts of two writes: {read}"
        seen = [seen for seen, _ in self.commits]
        return "one drop has two commits" if len(seen) != len(set(seen)) else ""

    def is_clean(self) -> bool:
        """Tell whether all work is done."""
        unburied = [seen for seen, _ in self.commits if seen not in self.buried]
        is_quiet = self.producer in {0, len(_REPLACING)} and all(worker.step == "idle" for worker in self.workers)
        return is_quiet and bool(self.commits) and not unburied and self.folder == (0, 0, 0)


def successors(state: State, guards: frozenset[str]) -> Iterator[tuple[str, State]]:
    """Yield everything that may happen next."""
    if state.producer < len(_REPLACING):
        place, version = _REPLACING[state.producer]
        yield "producer", replace(state, folder=_put(state.folder, place, version), producer=state.producer + 1)
    if state.claim is not None and not state.claim[1]:
        yield "claim runs out", replace(state, claim=(state.claim[0], True))
    for number, worker in enumerate(state.workers):
        if worker.step != "idle" and state.crashes < _MOST_CRASHES:
            yield f"{number} crashes", _with(replace(state, crashes=state.crashes + 1), number, Worker())
        for what, after in _steps(state, number, worker, guards):
            yield f"{number} {what}", after


def _steps(  # noqa: C901, PLR0912 - one case for each step
    state: State, number: int, worker: Worker, guards: frozenset[str]
) -> Iterator[tuple[str, State]]:
    seen = worker.seen
    match worker.step:
        case "idle":
            if state.folder[0]:
                yield "lists", _with(state, number, Worker("listed", state.folder))
            if SWEEP in guards:
                for swept, read in state.commits:
                    if swept not in state.buried:
                        yield "sweeps", _with(state, number, Worker("delete 1", swept, read))
        case "listed":
            is_whole = 0 < state.producer < len(_REPLACING)
            is_stable = state.folder == seen and _ABSENT not in seen and not is_whole
            go_on = is_stable or STABLE not in guards
            yield "lists again", _with(state, number, Worker("claim", seen) if go_on else Worker())
        case "claim":
            if seen in state.buried:
                yield "finds it done", _with(state, number, Worker())
            elif state.claim is None or state.claim[1] or state.claim[0] == number:
                yield "claims", _with(replace(state, claim=(number, False)), number, Worker("read", seen))
        case "read":
            is_same = state.folder[1:] == seen[1:]
            go_on = is_same or READ_IF_MATCH not in guards
            after = "commit" if COMMIT_FIRST in guards else "delete 1"
            yield "reads", _with(state, number, Worker(after, seen, state.folder) if go_on else Worker())
        case "commit":
            is_taken = seen in {one for one, _ in state.commits}
            commits = state.commits if is_taken and COMMIT_ONCE in guards else (*state.commits, (seen, worker.read))
            yield "commits", _with(replace(state, commits=commits), number, replace(worker, step="delete 1"))
        case "bury":
            after = replace(state, buried=state.buried | {seen}, claim=None)
            yield "buries", _with(after, number, Worker())
        case step:
            yield from _deletes(state, number, worker, int(step[-1]), guards)


def _deletes(
    state: State, number: int, worker: Worker, place: int, guards: frozenset[str]
) -> Iterator[tuple[str, State]]:
    """Delete one object: both parts, then the marker."""
    there, after = state.folder[place], {1: "delete 2", 2: "delete 0", 0: "bury"}[place]
    goes = there != _ABSENT and (there == worker.seen[place] or DELETE_IF_MATCH not in guards)
    if goes and state.denials < _MOST_DENIALS:  # recorded, never tried again: the inputs are retained
        denied = replace(state, denials=state.denials + 1)
        yield f"may not delete {place}", _with(denied, number, replace(worker, step="bury"))
    consumed = [seen for seen, _ in state.commits]
    is_wrong = goes and (there != worker.seen[place] or worker.seen not in consumed)
    folder = _put(state.folder, place, _ABSENT) if goes else state.folder
    deleted = replace(state, folder=folder, wrong=state.wrong or is_wrong)
    yield f"deletes {place}", _with(deleted, number, replace(worker, step=after))


def _put(folder: Folder, place: int, version: int) -> Folder:
    one, two, three = (version if place == at else there for at, there in enumerate(folder))
    return one, two, three


def _with(state: State, number: int, worker: Worker) -> State:
    first, second = (worker if number == at else known for at, known in enumerate(state.workers))
    return replace(state, workers=(first, second))


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search came to.

    Attributes:
        n_states: how many states there are.
        broken: the first broken promise, with how it comes to pass; "" if there is none.
        hopeless: states from which no clean end can be reached without another crash or denial.
    """

    n_states: int
    broken: str
    hopeless: int


def search(guards: frozenset[str] = GUARDS) -> Searched:
    """Visit every state that can be reached; stop at the first broken promise."""
    start = State()
    came_from: dict[State, tuple[State, str] | None] = {start: None}
    before: dict[State, list[State]] = {}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        if broken := state.broken():
            return Searched(len(came_from), f"{broken}: {_history(came_from, state)}", 0)
        for what, after in successors(state, guards):
            if after not in came_from:
                came_from[after] = (state, what)
                waiting.append(after)
            if "crashes" not in what and "may not" not in what:
                before.setdefault(after, []).append(state)
    return Searched(len(came_from), "", len(came_from) - _reaching_a_clean_end(came_from, before))


def _history(came_from: dict[State, tuple[State, str] | None], state: State) -> str:
    steps: list[str] = []
    while (previous := came_from[state]) is not None:
        state, what = previous
        steps.append(what)
    return ", ".join(reversed(steps))


def _reaching_a_clean_end(states: dict[State, tuple[State, str] | None], before: dict[State, list[State]]) -> int:
    """Count the states from which a clean end, or one in which a denial left something, can be reached."""
    good = {state for state in states if state.is_clean() or (state.denials and _is_quiet(state))}
    waiting = deque(good)
    while waiting:
        for state in before.get(waiting.popleft(), ()):
            if state not in good:
                good.add(state)
                waiting.append(state)
    return len(good)


def _is_quiet(state: State) -> bool:
    return all(seen in state.buried for seen, _ in state.commits) and all(w.step == "idle" for w in state.workers)
