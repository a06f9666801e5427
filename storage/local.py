"""A folder as an object store.

An object is a file; its identity is (inode, size, mtime in ns), so an equal marker written twice is two objects. A file
appears by rename or hard link from a hidden temporary file in the same folder: whole or not at all, and on disk before
it is named. Hidden files and Spark's `*.crc` files are no objects: they are never listed, and the checksum file of an
object goes with it; what lies in hidden folders is listed, for it may tell of a writer at work. Folders exist only
while something is in them, as on S3. It refuses keys that leave the root. Conditions hold between users of this class;
a foreign program that renames a file over another between our comparison and our unlink (microseconds) is not seen.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from storage.errors import AccessDenied, ObjectChanged, ObjectExists, ObjectMissing, StorageUnavailable
from storage.store import Deletion, ObjectInfo

LOCK_NAME = ".winnow-lock"
TEMPORARY = ".winnow-{}.tmp"


@contextmanager
def _translated(operation: str, url: str) -> Generator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ObjectMissing(operation, url, "there is no such file") from error
    except PermissionError as error:
        hint = "Give the service's user the right to it"
        raise AccessDenied(operation, url, f"the system refused ({error.strerror})", hint) from error
    except OSError as error:
        hint = "Look at the disk: is it full, mounted, writable?"
        raise StorageUnavailable(operation, url, f"the system said {error.strerror}", hint) from error


class LocalStore:
    """An object store in a folder of this machine.

    Args:
        root: the folder; it is made by the first write.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    @property
    def url(self) -> str:
        """The root, "file:///folder/": a path as it is, without percent-encoding."""
        return f"file://{self._root.as_posix().rstrip('/')}/"

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix`, in key order."""
        folder = prefix.rpartition("/")[0]
        with _translated("list", self.url + prefix):
            paths = _visible_files(self._path("list", folder) if folder else self._root)
            found = [info for path in paths if (info := self._seen(path)) and info.key.startswith(prefix)]
        yield from sorted(found)

    def head(self, key: str) -> ObjectInfo:
        """Return the identity of the file now under `key`."""
        with _translated("head", self.url + key):
            status = self._path("head", key).stat()
        if not stat.S_ISREG(status.st_mode):
            raise ObjectMissing("head", self.url + key, "there is a folder, not a file")
        return _identity(key, status)

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        """Return a small file whole, with the identity of exactly these bytes."""
        with _translated("read", self.url + key), self._path("read", key).open("rb") as file:
            return file.read(), _identity(key, os.fstat(file.fileno()))

    @contextmanager
    def open(self, info: ObjectInfo) -> Generator[BinaryIO]:
        """Open exactly the file that `info` names; its identity is compared again when the context ends."""
        with _translated("open", self.url + info.key):
            opened = self._path("open", info.key).open("rb")
        with opened as file:
            self._compare(info, file)
            yield file
            self._compare(info, file)

    def write(self, key: str, source: bytes | Path | BinaryIO) -> ObjectInfo:
        """Write a file, replacing what is there."""
        with _translated("write", self.url + key):
            return self._place("write", key, source, os.replace)

    def create(self, key: str, body: bytes) -> ObjectInfo:
        """Write a file only if the key is free: a hard link fails where a rename would replace."""
        with _translated("create", self.url + key):
            try:
                return self._place("create", key, body, os.link)
            except FileExistsError as error:
                there, info = self.read(key)
                if there == body:
                    return info
                raise ObjectExists("create", self.url + key, "the key is taken") from error

    def replace(self, key: str, body: bytes, expected: ObjectInfo) -> ObjectInfo:
        """Write a file only if the one now there is `expected`."""
        with self._locked("replace", key):
            if not self._is_there(expected):
                raise ObjectChanged("replace", self.url + key, "another version is there, or none")
            with _translated("replace", self.url + key):
                return self._place("replace", key, body, os.replace)

    def delete(self, info: ObjectInfo) -> Deletion:
        """Delete exactly the file that `info` names, its checksum file, and the folders this leaves empty."""
        try:
            with self._locked("delete", info.key), _translated("delete", self.url + info.key):
                return self._delete(info)
        except ObjectMissing:
            return Deletion.GONE
        except AccessDenied:
            return Deletion.DENIED

    def discard_unfinished(self, before: datetime) -> int:
        """Remove the temporary files of writers that died."""
        with _translated("discard_unfinished", self.url):
            paths = [
                path for path in self._root.rglob(TEMPORARY.format("*")) if path.stat().st_mtime < before.timestamp()
            ]
            for path in paths:
                path.unlink(missing_ok=True)
        return len(paths)

    def _delete(self, info: ObjectInfo) -> Deletion:
        path = self._path("delete", info.key)
        if _identity(info.key, path.stat()).etag != info.etag:
            return Deletion.CHANGED
        path.unlink()
        with contextlib.suppress(OSError):  # there is none, or it could have no name: that of its file is too long
            path.with_name(f".{path.name}.crc").unlink()
        self._prune(path.parent)
        return Deletion.DELETED

    def _prune(self, folder: Path) -> None:
        """Remove folders left empty, up to the root, which stays."""
        with contextlib.suppress(OSError):  # not empty, or not ours to remove: it stays
            while folder != self._root and folder.is_relative_to(self._root):
                folder.rmdir()
                folder = folder.parent

    def _place(
        self, operation: str, key: str, source: bytes | Path | BinaryIO, place: Callable[[Path, Path], None]
    ) -> ObjectInfo:
        """Write a temporary file and bring it under its name by `place`: os.replace or os.link."""
        path = self._path(operation, key)
        self._make_folder(operation, key, path.parent)
        if path.is_dir():
            raise StorageUnavailable(operation, self.url + key, "a folder is in the way", "Remove the folder")
        temporary = path.with_name(TEMPORARY.format(uuid4().hex))
        try:
            with temporary.open("xb") as file:
                _fill(file, source)
                info = _identity(key, os.fstat(file.fileno()))
            place(temporary, path)
            _sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return info

    def _make_folder(self, operation: str, key: str, folder: Path) -> None:
        """Make a folder; what is in its way is a fault of the store: no object is missing where one is written."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
            found = f"the folder cannot be made: {error.strerror} ({error.filename})"
            raise StorageUnavailable(operation, self.url + key, found, "Name a folder, or remove the file") from error

    def _path(self, operation: str, key: str) -> Path:
        if any(segment in {"", ".", ".."} for segment in key.split("/")) or "\0" in key:
            raise AccessDenied(operation, self.url + key, "the key is not a plain path below the root")
        return self._root / key

    def _seen(self, path: Path) -> ObjectInfo | None:
        try:
            status = path.stat()
        except FileNotFoundError:  # vanished between the listing and here
            return None
        return _identity(path.relative_to(self._root).as_posix(), status)

    def _is_there(self, info: ObjectInfo) -> bool:
        try:
            return self.head(info.key).etag == info.etag
        except ObjectMissing:
            return False

    def _compare(self, info: ObjectInfo, file: BinaryIO) -> None:
        if _identity(info.key, os.fstat(file.fileno())).etag != info.etag:
            raise ObjectChanged("open", self.url + info.key, "it is no longer the file that was listed")

    @contextmanager
    def _locked(self, operation: str, key: str) -> Generator[None]:
        """Hold the store's lock: one open file description per use, so it holds between threads too."""
        with _translated(operation, self.url + key):
            if not self._root.is_dir():
                raise ObjectMissing(operation, self.url + key, "the store is empty")
            lock = (self._root / LOCK_NAME).open("ab")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _identity(key: str, status: os.stat_result) -> ObjectInfo:
    etag = f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
    return ObjectInfo(key, status.st_size, etag, None, datetime.fromtimestamp(status.st_mtime, UTC))


def _visible_files(start: Path) -> Iterator[Path]:
    for folder, _, files in os.walk(start, onerror=_raise_unless_vanished):
        for name in files:
            path = Path(folder, name)
            if not name.startswith(".") and not name.endswith(".crc") and path.is_file():
                yield path


def _raise_unless_vanished(error: OSError) -> None:
    """Stop at an unreadable folder: a listing without it would make a part of a drop look like the whole."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _fill(file: BinaryIO, source: bytes | Path | BinaryIO) -> None:
    if isinstance(source, bytes):
        file.write(source)
    elif isinstance(source, Path):
        with source.open("rb") as origin:
            shutil.copyfileobj(origin, file)
    else:
        shutil.copyfileobj(source, file)
    file.flush()
    # The kernel stamps files with a clock of some milliseconds: within one tick a reused inode would be the same file.
    now = time.time_ns()
    os.utime(file.fileno(), ns=(now, now))
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
