"""Drops put aside: what was wrong with them, so that they are neither tried again and again nor lost.

The inputs stay where they are. A drop is put aside by its drop_id: what the producer puts in its place is another drop.
A release is written into the record, never by deleting it, so it works on servers that cannot delete exactly.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from storage.errors import CorruptObject, ObjectChanged, ObjectExists, ObjectMissing
from storage.keys import quarantine_key, quarantine_prefix
from storage.snapshots import Snapshot
from storage.store import ObjectInfo, ObjectStore


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Why a drop was put aside.

    Attributes:
        url: the drop.
        error: the class of the error.
        message: its text, for people.
        found_at: when, with its time zone.
        snapshot: what was there.
        is_released: whether an operator has let it go since.
    """

    url: str
    error: str
    message: str
    found_at: datetime
    snapshot: Snapshot
    is_released: bool = False

    @property
    def drop_id(self) -> str:
        """The name of the drop."""
        return self.snapshot.drop_id

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; `from_json` is the exact inverse."""
        return {
            "url": self.url,
            "error": self.error,
            "message": self.message,
            "found_at": self.found_at.isoformat(),
            "snapshot": self.snapshot.to_json(),
            "is_released": self.is_released,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Quarantined":
        """Return the record that `to_json` wrote."""
        return cls(
            url=values["url"],
            error=values["error"],
            message=values["message"],
            found_at=datetime.fromisoformat(values["found_at"]),
            snapshot=Snapshot.from_json(values["snapshot"]),
            is_released=values["is_released"],
        )


def put_aside(
    store: ObjectStore, problem: str, snapshot: Snapshot, *, error: str, message: str, found_at: datetime
) -> Quarantined:
    """Put a drop aside; one that is aside already keeps its first record.

    Args:
        store: the results store.
        problem: the problem.
        snapshot: the drop.
        error: the class of what was wrong.
        message: the text of it.
        found_at: when it was found.
    """
    record = Quarantined(snapshot.url, error, message, found_at, snapshot)
    key = quarantine_key(problem, snapshot.drop_id)
    try:
        store.create(key, _body(record))
    except ObjectExists:
        known, info = _read(store, key)
        if not known.is_released:
            return known
        with suppress(ObjectChanged):  # another worker puts it aside for the same reason
            store.replace(key, _body(record), info)
    return record


def is_quarantined(store: ObjectStore, problem: str, drop_id: str) -> bool:
    """Tell whether a drop is aside."""
    try:
        return not _read(store, quarantine_key(problem, drop_id))[0].is_released
    except ObjectMissing:
        return False


def read_all(store: ObjectStore, problem: str) -> list[Quarantined]:
    """Return every drop of a problem that is aside, the newest first."""
    records = [_read(store, info.key)[0] for info in store.list(quarantine_prefix(problem))]
    aside = [record for record in records if not record.is_released]
    return sorted(aside, key=lambda record: record.found_at, reverse=True)


def release(store: ObjectStore, problem: str, drop_id: str) -> bool:
    """Let a drop go, so that it is tried again.

    Returns:
        Whether it was aside.
    """
    key = quarantine_key(problem, drop_id)
    try:
        record, info = _read(store, key)
        if record.is_released:
            return False
        store.replace(key, _body(replace(record, is_released=True)), info)
    except (ObjectMissing, ObjectChanged):  # never aside, or somebody else was faster
        return False
    return True


def _body(record: Quarantined) -> bytes:
    return json.dumps(record.to_json(), indent=1, sort_keys=True).encode()


def _read(store: ObjectStore, key: str) -> tuple[Quarantined, ObjectInfo]:
    body, info = store.read(key)
    try:
        return Quarantined.from_json(json.loads(body)), info
    except (KeyError, TypeError, ValueError) as error:
        found = f"it is not a record of the quarantine ({error!r})"
        raise CorruptObject("read", store.url + key, found, "Remove the object to forget the drop") from error
