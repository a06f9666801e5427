"""A store whose process dies right after a chosen change: the change is made, nothing after it happens."""

from dataclasses import dataclass, field
from pathlib import Path

from storage import Deletion, ObjectInfo, ObjectStore


class Crash(Exception):
    """The process died here."""


@dataclass
class Changes:
    """What was changed, and after how many changes the process dies; shared by all stores of the process.

    Attributes:
        fatal: the number of changes that are made; 0 dies before the first.
        made: what was changed, in order.
    """

    fatal: int
    made: list[str] = field(default_factory=list)

    def before(self) -> None:
        """Die if all the changes that we may make were made."""
        if len(self.made) >= self.fatal:
            raise Crash(self.made)


class CrashingStore:
    """A store that counts changes and dies."""

    def __init__(self, store: ObjectStore, changes: Changes) -> None:
        self._store = store
        self._changes = changes

    def __getattr__(self, name: str) -> object:
        """Read as the store does."""
        return getattr(self._store, name)

    def write(self, key: str, source: bytes | Path) -> ObjectInfo:
        """Write, and count."""
        self._changes.before()
        self._changes.made.append(f"write {key}")
        return self._store.write(key, source)

    def create(self, key: str, body: bytes) -> ObjectInfo:
        """Create, and count."""
        self._changes.before()
        self._changes.made.append(f"create {key}")
        return self._store.create(key, body)

    def replace(self, key: str, body: bytes, expected: ObjectInfo) -> ObjectInfo:
        """Replace, and count."""
        self._changes.before()
        self._changes.made.append(f"replace {key}")
        return self._store.replace(key, body, expected)

    def delete(self, info: ObjectInfo) -> Deletion:
        """Delete, and count."""
        self._changes.before()
        self._changes.made.append(f"delete {info.key}")
        return self._store.delete(info)
