"""What must be true after a kill, by what is in the stores and by the log of what was done to them.

lost      parts are gone and no commit names them
doubled   two commits name one part
wrong     something was deleted before a commit named it, or that no commit names, or an output is not whole
stuck     the drop is still there, or its end is not complete
unreached nobody was killed: the point does not exist any more
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.errors import ObjectMissing, StorageError
from storage.keys import FEATURES
from storage.store import ObjectStore, exists
from tests.reliability.chaos.points import Point
from tests.reliability.chaos.proxy import Change

DROP = "dt=0/"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    Attributes:
        point: which.
        broken: the promises that were broken, by kind.
        restarts: how often a process was started in place of a dead one.
    """

    point: Point
    broken: Mapping[str, str]
    restarts: int


@dataclass
class Scene:
    """What a run works on.

    Attributes:
        drops, results: the stores, past all that listens or kills.
        changes: returns what was done to them, in its order.
        was_killed: tells whether somebody was.
        parts: what the drop consists of, by key.
        bystanders: what must stay as it is, by key.
    """

    drops: ObjectStore
    results: ObjectStore
    changes: Callable[[], list[Change]]
    was_killed: Callable[[], bool]
    parts: dict[str, bytes] = field(default_factory=dict)
    bystanders: Mapping[str, bytes] = field(default_factory=dict)

    def fill(self, parts: Mapping[str, bytes], bystanders: Mapping[str, bytes], marker: str) -> None:
        """Put the drop and what is beside it in its place, the marker last."""
        self.bystanders = bystanders
        self.parts = {DROP + name: body for name, body in parts.items()}
        for key, body in {**bystanders, **self.parts, DROP + marker: b""}.items():
            self.drops.write(key, body)

    def commits(self) -> list[dict[str, Any]]:
        """Return every commit."""
        keys = [info.key for info in self.results.list("return/runs/") if info.key.endswith("/COMMIT.json")]
        return [json.loads(self.results.read(key)[0]) for key in keys]


def at_rest(scene: Scene) -> bool:
    """Tell whether all that follows from the drop has happened."""
    try:
        return not _still_to_do(scene)
    except StorageError:  # somebody writes while we look
        return False


def judged(point: Point, scene: Scene, restarts: int) -> Ended:
    """Say which promises were broken."""
    commits = scene.commits()
    found = {
        "lost": _lost(scene, commits),
        "doubled": _doubled(commits),
        "wrong": _wrong(scene, commits),
        "stuck": _still_to_do(scene),
        "unreached": "" if scene.was_killed() else "nobody was killed",
    }
    return Ended(point, {kind: text for kind, text in found.items() if text}, restarts)


def _consumed(commit: Mapping[str, Any]) -> set[str]:
    return {part["key"] for part in commit["consumed"]["parts"]}


def _still_to_do(scene: Scene) -> str:
    commits = scene.commits()
    if not commits:
        return "there is no commit"
    left = [key for key in scene.parts if exists(scene.drops, key)]
    if left:
        return f"parts are still there: {left}"
    for commit in commits:
        for key in (f"return/runs/{commit['run_id']}/FINISHED.json", f"return/done/{commit['drop_id']}.json"):
            if not exists(scene.results, key):
                return f"{key} is missing"
        ledger = [info.key for info in scene.results.list("return/ledger/") if commit["run_id"] in info.key]
        if len(ledger) != 1:
            return f"the ledger has {ledger}"
    latest = json.loads(scene.results.read("return/latest.json")[0])
    return "" if latest["run_id"] in {commit["run_id"] for commit in commits} else f"latest.json says {latest}"


def _lost(scene: Scene, commits: list[dict[str, Any]]) -> str:
    named = set[str]().union(*map(_consumed, commits))
    gone = {key for key in scene.parts if not exists(scene.drops, key)}
    return f"gone and not consumed: {gone - named}" if gone - named else ""


def _doubled(commits: list[dict[str, Any]]) -> str:
    count = Counter(key for commit in commits for key in _consumed(commit))
    twice = [key for key, times in count.items() if times > 1]
    return f"consumed by {len(commits)} commits: {twice}" if twice else ""


def _wrong(scene: Scene, commits: list[dict[str, Any]]) -> str:
    for key, body in scene.bystanders.items():
        if not exists(scene.drops, key) or scene.drops.read(key)[0] != body:
            return f"{key} is not as it was"
    may_go = {f"drops/{key}" for commit in commits for key in (*_consumed(commit), commit["consumed"]["marker"]["key"])}
    is_committed = False
    for change in scene.changes():
        is_committed |= change.verb == "put" and change.key.endswith("/COMMIT.json")
        is_input = change.key.startswith("drops/") and "/.probe/" not in change.key
        if is_input and (change.verb != "delete" or not is_committed or change.key not in may_go):
            return f"{change.verb} of {change.key}, {'after' if is_committed else 'before'} a commit"
    return next((text for commit in commits if (text := _broken_output(scene, commit))), "")


def _broken_output(scene: Scene, commit: Mapping[str, Any]) -> str:
    if not any(key.endswith(FEATURES) for key in commit["outputs"]):
        return f"the commit names no {FEATURES}"
    for key, output in commit["outputs"].items():
        try:
            body, _ = scene.results.read(key)
        except ObjectMissing:
            return f"the output {key} is gone"
        if hashlib.sha256(body).hexdigest() != output["sha256"]:
            return f"the output {key} is another one"
    return ""
