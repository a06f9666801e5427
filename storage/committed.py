"""The record that makes a run real: which attempt counts, what it wrote, which versions of the inputs it used up."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from storage.errors import CorruptObject, ObjectMissing
from storage.keys import commit_key, done_key, latest_key
from storage.snapshots import Snapshot
from storage.store import ObjectStore

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Output:
    """One published object.

    Attributes:
        size: in bytes.
        sha256: of its bytes, hex.
    """

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Commit:
    """The content of COMMIT.json, written once and never changed.

    Attributes:
        run_id: the run.
        drop_id: the drop it worked on.
        problem: under which problem.
        attempt: the folder of the attempt that counts, ending in "/", relative to the results store; carries a nonce.
        committed_at: by the clock of the worker, with its time zone.
        outputs: every object of the attempt, by its key relative to the results store.
        consumed: the inputs, exactly: what may be deleted.
        keep_inputs: delete nothing.
        retention_days: how long deleted inputs stay in the trash; 0: there is no copy.
    """

    run_id: str
    drop_id: str
    problem: str
    attempt: str
    committed_at: datetime
    outputs: Mapping[str, Output]
    consumed: Snapshot
    keep_inputs: bool = False
    retention_days: int = 0

    def to_json(self) -> bytes:
        """Return the body of COMMIT.json; `from_json` is the exact inverse."""
        values = {
            "schema": SCHEMA,
            "run_id": self.run_id,
            "drop_id": self.drop_id,
            "problem": self.problem,
            "attempt": self.attempt,
            "committed_at": self.committed_at.isoformat(),
            "outputs": {key: {"size": out.size, "sha256": out.sha256} for key, out in self.outputs.items()},
            "consumed": self.consumed.to_json(),
            "keep_inputs": self.keep_inputs,
            "retention_days": self.retention_days,
        }
        return json.dumps(values, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, body: bytes) -> "Commit":
        """Return the commit that `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: the body is not one.
        """
        values: dict[str, Any] = json.loads(body)
        if values["schema"] != SCHEMA:
            raise ValueError(f"schema {values['schema']} of a commit is not known: expected {SCHEMA}")
        return cls(
            run_id=values["run_id"],
            drop_id=values["drop_id"],
            problem=values["problem"],
            attempt=values["attempt"],
            committed_at=datetime.fromisoformat(values["committed_at"]),
            outputs={key: Output(out["size"], out["sha256"]) for key, out in values["outputs"].items()},
            consumed=Snapshot.from_json(values["consumed"]),
            keep_inputs=values["keep_inputs"],
            retention_days=values.get("retention_days", 0),  # absent where there was no trash yet
        )


def read_commit(store: ObjectStore, problem: str, run_id: str) -> Commit:
    """Read the commit of a run.

    Raises:
        ObjectMissing: the run has none.
        CorruptObject: it is not a commit, or of a version that this code does not know.
    """
    key = commit_key(problem, run_id)
    body, _ = store.read(key)
    try:
        return Commit.from_json(body)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptObject("read", store.url + key, f"it is not a commit ({error!r})") from error


def run_of_drop(store: ObjectStore, problem: str, drop_id: str) -> str:
    """Return the run that has finished a drop."""
    return str(_values(store, done_key(problem, drop_id))["run_id"])


def published(store: ObjectStore, commit: Commit, name: str) -> bytes:
    """Return a file of a run, byte for byte as it was published."""
    key = commit.attempt + name
    try:
        body, _ = store.read(key)
    except ObjectMissing as error:
        raise CorruptObject("read", store.url + key, "the commit names it, and it is not there") from error
    published = commit.outputs.get(key)
    if published is None or hashlib.sha256(body).hexdigest() != published.sha256:
        raise CorruptObject("read", store.url + key, "it is not the file that was published")
    return body


def latest_run(store: ObjectStore, problem: str) -> str:
    """Return the newest run of a problem.

    Raises:
        ObjectMissing: there is none.
        CorruptObject: what names it is damaged.
    """
    return str(_values(store, latest_key(problem))["run_id"])


def _values(store: ObjectStore, key: str) -> dict[str, Any]:
    body, _ = store.read(key)
    try:
        values = json.loads(body)
    except ValueError as error:
        raise CorruptObject("read", store.url + key, f"it is no JSON ({error})") from error
    if not isinstance(values, dict) or "run_id" not in values:
        raise CorruptObject("read", store.url + key, "it names no run")
    return cast("dict[str, Any]", values)
