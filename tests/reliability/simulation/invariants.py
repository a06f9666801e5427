"""What must hold after every schedule, read from the server's own log and from what is left on it.

lost        a finished drop that nobody touched again has no commit although its parts are gone
doubled     two commits consumed the same object
torn        a commit consumed something else than one whole write of the producer, or read other bytes
wrong       something was deleted that no commit named at that moment, or an output of a commit is gone
stuck       a finished drop that nobody touched again is still there, or its commit is not finished
aside       a drop was put into quarantine although nothing is wrong with it
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from storage.keys import PROBE_FOLDER, is_unique
from tests.reliability.memory_s3 import Change, Stored
from tests.reliability.simulation.producer import BUCKET, WHO, Generation
from tests.reliability.simulation.replica import CONTENT
from tests.reliability.simulation.world import RESULTS, World

Identity = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise.

    Attributes:
        kind: which.
        found: what was found.
    """

    kind: str
    found: str


def violations(world: World) -> list[Violation]:
    """Return every broken promise of a schedule that was played."""
    commits = [json.loads(change.stored.body) for change in _committed(world)]
    return [*_doubled(commits), *_torn(world, commits), *_wrong(world), *_stuck(world, commits), *_aside(world)]


def _committed(world: World) -> list[Change]:
    return [change for change in world.server.changes if _is_commit(change)]


def _is_commit(change: Change) -> bool:
    return change.bucket == RESULTS and change.what == "put" and change.key.endswith("/COMMIT.json")


def _consumed(commit: dict[str, Any]) -> set[Identity]:
    return {(part["key"], part["etag"], part["version"]) for part in commit["consumed"]["parts"]}


def _identity(world: World, key: str, stored: Stored) -> Identity:
    return key, stored.etag.strip('"'), stored.version if world.server.keeps_versions else None


def _doubled(commits: list[dict[str, Any]]) -> list[Violation]:
    count = Counter(identity for commit in commits for identity in _consumed(commit))
    return [
        Violation("doubled", f"{identity} was consumed {times} times") for identity, times in count.items() if times > 1
    ]


def _torn(world: World, commits: list[dict[str, Any]]) -> list[Violation]:
    writes = [
        {_identity(world, key, stored) for key, stored in generation.parts.items()}
        for producer in world.producers
        for generation in producer.generations
        if generation.is_whole
    ]
    found: list[Violation] = []
    for commit in commits:
        if _consumed(commit) not in writes:
            found.append(Violation("torn", f"the commit {commit['run_id']} is no whole write: {_consumed(commit)}"))
        stored = world.server.there(RESULTS, commit["attempt"] + CONTENT)
        read = json.loads(stored.body) if stored else None
        if read is not None and read != {key: _body(world, key, etag) for key, etag, _ in _consumed(commit)}:
            found.append(Violation("torn", f"the commit {commit['run_id']} read {read}"))
    return found


def _body(world: World, key: str, etag: str) -> str:
    bodies = [
        change.stored.body
        for change in world.server.changes
        if change.what == "put" and change.key == key and change.stored.etag.strip('"') == etag
    ]
    return bodies[0].decode()


def _wrong(world: World) -> list[Violation]:
    named: set[Identity] = set()
    found: list[Violation] = []
    for change in world.server.changes:
        if _is_commit(change):
            commit = json.loads(change.stored.body)
            marker = commit["consumed"]["marker"]
            named |= _consumed(commit)
            if marker["version"] is not None or _is_telling(world, marker):
                named.add((marker["key"], marker["etag"], marker["version"]))
        is_ours = change.bucket == BUCKET and change.who != WHO and not change.key.startswith(PROBE_FOLDER)
        if is_ours and (change.what != "delete" or _identity(world, change.key, change.stored) not in named):
            found.append(Violation("wrong", f"{change.who} did {change.what} {change.key} {change.stored.version}"))
    for change in _committed(world):
        for key, output in json.loads(change.stored.body)["outputs"].items():
            stored = world.server.there(RESULTS, key)
            if stored is None or hashlib.sha256(stored.body).hexdigest() != output["sha256"]:
                found.append(Violation("wrong", f"the output {key} of a commit is not there"))
    return found


def _is_telling(world: World, marker: dict[str, Any]) -> bool:
    """Tell whether this marker can be told from every other marker that was ever written under its key."""
    same = [
        change
        for change in world.server.changes
        if change.what == "put" and change.key == marker["key"] and change.stored.etag.strip('"') == marker["etag"]
    ]
    return len(same) == 1 and marker["size"] > 0


def _stuck(world: World, commits: list[dict[str, Any]]) -> list[Violation]:
    found: list[Violation] = []
    done = {json.dumps(sorted(_consumed(commit))) for commit in commits}
    for producer in world.producers:
        for generation in producer.generations:
            wanted = sorted(_identity(world, key, stored) for key, stored in generation.parts.items())
            if generation.is_disturbed or _waits_beside_another(world, generation):
                continue
            if json.dumps(wanted) not in done:
                found.append(Violation("stuck", f"the drop {generation.folder} has no commit"))
            elif any(_is_there(world, identity) and _may_go(world, identity[0]) for identity in wanted):
                found.append(Violation("stuck", f"{generation.folder} is committed and its parts are there"))
    results = world.server.buckets[RESULTS]
    for commit in commits:
        folder = f"return/runs/{commit['run_id']}"
        if f"{folder}/FINISHED.json" not in results or f"return/done/{commit['drop_id']}.json" not in results:
            found.append(Violation("stuck", f"the run {commit['run_id']} is committed and not finished"))
    return found


def _may_go(world: World, key: str) -> bool:
    """Tell whether this server lets a worker delete exactly this object."""
    is_exact = world.server.keeps_versions or world.server.deletes_conditionally or is_unique(key)
    return is_exact and not world.denies


def _is_there(world: World, identity: Identity) -> bool:
    stored = world.server.there(BUCKET, identity[0])
    return stored is not None and _identity(world, identity[0], stored) == identity


def _waits_beside_another(world: World, generation: Generation) -> bool:
    """Tell whether parts of another write lie beside this one: then nobody can say what belongs together."""
    there = [
        key
        for key in world.server.buckets[BUCKET]
        if world.server.there(BUCKET, key) and key.startswith(generation.folder)
    ]
    return any(key.endswith(".parquet") and key not in generation.parts for key in there)


def _aside(world: World) -> list[Violation]:
    return [
        Violation("aside", f"{change.stored.body.decode()}")
        for change in world.server.changes
        if change.bucket == RESULTS and change.what == "put" and "/quarantine/" in change.key
    ]
