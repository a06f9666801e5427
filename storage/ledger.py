"""What follows from a commit for readers: the newest run of a problem, and its feature table in the ledger.

Both are derived: they can be made again from the commit at any time, in any order, by any number of workers.
"""

import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from storage.committed import Commit
from storage.errors import CorruptObject, ObjectChanged, ObjectExists, ObjectMissing, StorageUnavailable
from storage.keys import FEATURES, commit_key, latest_key, ledger_key
from storage.store import ObjectStore, exists

UPDATE_TRIES = 100


def update_latest(store: ObjectStore, commit: Commit) -> None:
    """Let latest.json name this commit, unless it names a newer one.

    Args:
        store: the results store.
        commit: a commit that stands.

    Raises:
        StorageUnavailable: others have changed it every time.
    """
    for _ in range(UPDATE_TRIES):  # another worker that writes in between may have a newer commit: look again
        if _try_update_latest(store, commit):
            return
    found = f"it has changed in each of {UPDATE_TRIES} tries"
    raise StorageUnavailable("update", store.url + latest_key(commit.problem), found)


def enter_in_ledger(store: ObjectStore, commit: Commit) -> None:
    """Copy the feature table of a commit into the ledger, with its run_id as a column; nothing if it has none.

    Args:
        store: the results store.
        commit: a commit that stands.

    Raises:
        CorruptObject: the table is not the one that was published, or no parquet.
    """
    key = ledger_key(commit.problem, commit.committed_at.astimezone(UTC).date().isoformat(), commit.run_id)
    if commit.attempt + FEATURES in commit.outputs and not exists(store, key):
        store.write(key, _with_run_id(store, commit))


def _try_update_latest(store: ObjectStore, commit: Commit) -> bool:
    key = latest_key(commit.problem)
    body = json.dumps(_summary(commit), indent=1, sort_keys=True).encode()
    try:
        there, info = store.read(key)
        if _age(there) < (commit.committed_at.astimezone(UTC), commit.run_id):
            store.replace(key, body, info)
    except ObjectMissing:
        return _is_created(store, key, body)
    except ObjectChanged:
        return False
    return True


def _is_created(store: ObjectStore, key: str, body: bytes) -> bool:
    try:
        store.create(key, body)
    except ObjectExists:
        return False
    return True


def _summary(commit: Commit) -> dict[str, Any]:
    return {
        "run_id": commit.run_id,
        "drop_id": commit.drop_id,
        "committed_at": commit.committed_at.isoformat(),
        "commit": commit_key(commit.problem, commit.run_id),
        "attempt": commit.attempt,
    }


def _age(body: bytes) -> tuple[datetime, str]:
    """Return what orders commits; a body that nobody of us wrote is older than any."""
    try:
        values: dict[str, Any] = json.loads(body)
        return datetime.fromisoformat(values["committed_at"]).astimezone(UTC), values["run_id"]
    except (ValueError, KeyError, TypeError):
        return datetime.min.replace(tzinfo=UTC), ""


def _with_run_id(store: ObjectStore, commit: Commit) -> bytes:
    key = commit.attempt + FEATURES
    body, _ = store.read(key)
    if hashlib.sha256(body).hexdigest() != commit.outputs[key].sha256:
        raise CorruptObject("ledger", store.url + key, "it is not the table that was published")
    try:
        table = pq.read_table(io.BytesIO(body))  # pyright: ignore[reportUnknownMemberType]
    except pa.ArrowInvalid as error:
        raise CorruptObject("ledger", store.url + key, f"it is no parquet file ({error})") from error
    column = pa.array([commit.run_id] * table.num_rows, pa.string())
    sink = io.BytesIO()
    pq.write_table(table.append_column("run_id", column), sink)  # pyright: ignore[reportUnknownMemberType]
    return sink.getvalue()
