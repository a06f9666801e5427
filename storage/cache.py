"""Parts of one drop on the local disk, fetched once: reading opens every part several times.

A local store hands out its own files and needs no copy. Everything is gone when the context ends.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import BinaryIO

from storage.keys import digest
from storage.local import LocalStore
from storage.parquet import OpenPart
from storage.store import ObjectInfo, ObjectStore

_PIECE_BYTES = 8 << 20


@contextmanager
def cached_parts(store: ObjectStore) -> Generator[OpenPart]:
    """Yield a function that opens parts of `store`, each fetched at most once, always of the version asked for."""
    if isinstance(store, LocalStore):
        yield store.open
        return
    with TemporaryDirectory(prefix="winnow-") as folder:
        cache = _Cache(store, Path(folder))
        yield cache.open


class _Cache:
    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._locks: dict[ObjectInfo, Lock] = {}
        self._guard = Lock()

    @contextmanager
    def open(self, info: ObjectInfo) -> Generator[BinaryIO]:
        """Open one part, after fetching it if nobody has."""
        with self._guard:
            lock = self._locks.setdefault(info, Lock())
        path = self._folder / digest(info.key, info.etag, info.version)
        with lock:
            if not path.exists():
                self._fetch(info, path)
        with path.open("rb") as file:
            yield file

    def _fetch(self, info: ObjectInfo, path: Path) -> None:
        partial = path.with_suffix(".partial")
        with self._store.open(info) as source, partial.open("wb") as target:
            shutil.copyfileobj(source, target, _PIECE_BYTES)
        partial.rename(path)
