"""The contract of every object store: what the rest of the house may expect of S3 and of a folder alike.

A store is rooted at one URL; keys are relative to it, separated by "/", never starting with "/".
Every promise below is tested once, in tests/contracts/, against each implementation.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Protocol

from storage.errors import ObjectMissing


@dataclass(frozen=True, slots=True, order=True)
class ObjectInfo:
    """The identity of one version of one object.

    Attributes:
        key: relative to the root of its store.
        size: in bytes.
        etag: opaque; equal etags of one key mean equal bytes on S3, the same file on a local store.
        version: the version id of a versioned bucket, else None.
        modified: last modification by the clock of the store, UTC.
    """

    key: str
    size: int
    etag: str
    version: str | None
    modified: datetime


class Deletion(Enum):
    """What became of one exact delete."""

    DELETED = "deleted"
    GONE = "gone"  # nothing under that key: somebody else (or an earlier attempt) deleted it
    CHANGED = "changed"  # another object took the key: not ours any more, left alone
    DENIED = "denied"  # the store refuses deletion: recorded, never retried


class ObjectStore(Protocol):
    """Bytes under keys, with the conditions that the drop protocol (docs/protocol.md) stands on."""

    @property
    def url(self) -> str:
        """The root: "s3://bucket/prefix/" or "file:///folder/", always ending in "/"."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix`, in key order; nothing when there is none."""
        ...

    def head(self, key: str) -> ObjectInfo:
        """Return the identity of the object now under `key`.

        Raises:
            ObjectMissing: there is none.
        """
        ...

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        """Return a small object whole, with the identity of exactly these bytes.

        Raises:
            ObjectMissing: there is none.
        """
        ...

    def open(self, info: ObjectInfo) -> AbstractContextManager[BinaryIO]:
        """Open exactly the version that `info` names for random access, as a real file.

        Raises:
            ObjectMissing: it is gone.
            ObjectChanged: another version took its place; nothing of that one is ever returned. On a local store,
                where a writer may write into an open file, the check is repeated when the context ends.
        """
        ...

    def write(self, key: str, source: bytes | Path | BinaryIO) -> ObjectInfo:
        """Write an object, replacing what is there; it appears whole or not at all. An open file is read to its end."""
        ...

    def create(self, key: str, body: bytes) -> ObjectInfo:
        """Write an object only if the key is free. Of any number of racers exactly one succeeds.

        `body` must be unique to the caller (carry a nonce): when an answer is lost the key is read back, and equal
        bytes mean that the write was ours.

        Raises:
            ObjectExists: the key is taken by other bytes.
        """
        ...

    def replace(self, key: str, body: bytes, expected: ObjectInfo) -> ObjectInfo:
        """Write an object only if the version now there is `expected`. Same rule for `body` as in `create`.

        Raises:
            ObjectChanged: another version is there, or none.
        """
        ...

    def delete(self, info: ObjectInfo) -> Deletion:
        """Delete exactly the version that `info` names, never another one. Denial is an answer, not an exception."""
        ...

    def discard_unfinished(self, before: datetime) -> int:
        """Remove what writes that never ended have left and nobody can see; return how many there were.

        Args:
            before: only writes that began earlier, by the clock of the store.
        """
        ...


def exists(store: ObjectStore, key: str) -> bool:
    """Tell whether an object is now under `key`."""
    try:
        store.head(key)
    except ObjectMissing:
        return False
    return True
