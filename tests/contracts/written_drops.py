"""Drops as writers leave them, for the tests of everything that finds, claims and finishes them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from storage import ObjectStore
from storage.drops import Snapshot, find_drops, snapshot
from storage.keys import MARKER

UUID = "0f7c0e2c-1f0e-4c52-9d5f-0123456789ab"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
OTHER_UUID = "1f7c0e2c-1f0e-4c52-9d5f-0123456789ab"
PARTS = tuple(f"part-0000{i}-{UUID}-c000.snappy.parquet" for i in range(3))


def write_drop(store: ObjectStore, folder: str, parts: Iterable[str] = PARTS, marker: bytes = b"") -> None:
    """Write parts, then the marker."""
    for part in parts:
        store.write(folder + part, f"data of {part}".encode())
    store.write(folder + MARKER, marker)


def only_snapshot(store: ObjectStore) -> Snapshot:
    """Return the snapshot of the one drop in a store."""
    (folder,) = find_drops(store)
    return snapshot(folder)
