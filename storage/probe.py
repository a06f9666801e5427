"""Asks a store at start-up whether it keeps the conditions that the drop protocol stands on, and refuses it if not.

Some servers accept If-None-Match and If-Match and ignore them (measured: `rclone serve s3` and s3rver let 16 of 16
racers win); two workers on such a server would publish two commits for one drop. Source: docs/protocol.md, P0.
"""

from dataclasses import dataclass

from storage.errors import ObjectChanged, ObjectExists, UnsafeStore
from storage.keys import PROBE_FOLDER, new_nonce
from storage.s3 import S3Store
from storage.store import ObjectInfo, ObjectStore

_HINT = "Use a server with conditional writes (AWS S3, MinIO, Ceph 16 or newer) or a local folder"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store can do beyond what every store must do.

    Attributes:
        conditional_delete: a DELETE can be held to one version; else only keys that nobody writes twice are deleted.
        versioned: objects have version ids.
    """

    conditional_delete: bool
    versioned: bool


def probe(store: ObjectStore) -> Capabilities:
    """Try the conditions on fresh keys below `.probe/`, and remove them.

    Args:
        store: one that we may write to.

    Raises:
        UnsafeStore: a create-only or a compare-and-swap write was carried out although its condition did not hold.
    """
    key = PROBE_FOLDER + new_nonce()
    first = store.create(key, b"first " + key.encode())
    newest = first
    try:
        _expect_create_refused(store, key)
        newest = store.replace(key, b"second " + key.encode(), first)
        _expect_replace_refused(store, key, first)
    finally:
        _remove(store, key, first, newest)
    conditional = store.deletes_conditionally() if isinstance(store, S3Store) else True
    return Capabilities(conditional_delete=conditional, versioned=first.version is not None)


def _expect_create_refused(store: ObjectStore, key: str) -> None:
    try:
        store.create(key, b"create again " + key.encode())
    except ObjectExists:
        return
    raise UnsafeStore("probe", store.url + key, "the store ignores If-None-Match: a create replaced an object", _HINT)


def _expect_replace_refused(store: ObjectStore, key: str, stale: ObjectInfo) -> None:
    try:
        store.replace(key, b"replace again " + key.encode(), stale)
    except ObjectChanged:
        return
    raise UnsafeStore("probe", store.url + key, "the store ignores If-Match: a stale replace succeeded", _HINT)


def _remove(store: ObjectStore, key: str, *versions: ObjectInfo) -> None:
    """Remove what the probe wrote, and what an unsafe store let it write by mistake."""
    for info in versions:
        store.delete(info)
    for info in store.list(key):
        store.delete(info)
