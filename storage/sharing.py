"""One open file under several readers at once.

Arrow reads a Python file by seeking and then reading; two readers of one file would take each other's place in it.
A file that is not large is read into memory once, for all readers: columns are asked for in the order of their names,
and from a file Arrow takes three times as long for columns that do not lie side by side. A larger file of the
operating system is opened once more for each reader, by its descriptor: that is the same file, even when its name is
gone or names another by now, and Arrow reads it without Python. Of any other file each reader gets a view with a place
of its own.
"""

import io
import os
import threading
from typing import BinaryIO

from storage.arrow import Buffer, NativeFile, arrow

_IN_MEMORY_BYTES = 64 << 20


class SharedFile:
    """A file open for random access, of which any number of readers may be had at the same time.

    Args:
        file: stays the caller's to close, after the last read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._readers: list[NativeFile | FileView] = []
        self._content: Buffer | None = None
        self.size = file.seek(0, os.SEEK_END)

    def reader(self) -> "NativeFile | FileView":
        """Return the file with a place of its own, at its beginning."""
        reader = self._in_memory() or _opened_again(self._file) or FileView(self)
        self._readers.append(reader)
        return reader

    def close_readers(self) -> None:
        """Close what `reader` returned."""
        while self._readers:
            self._readers.pop().close()
        self._content = None

    def _in_memory(self) -> NativeFile | None:
        if self.size > _IN_MEMORY_BYTES:
            return None
        with self._lock:
            if self._content is None:
                self._file.seek(0)
                self._content = arrow.py_buffer(self._file.read())
        return arrow.BufferReader(self._content)

    def read_at(self, at: int, n_bytes: int) -> bytes:
        """Return up to `n_bytes` from `at` on; fewer only where the file ends."""
        with self._lock:
            self._file.seek(at)
            return self._file.read(n_bytes)


def _opened_again(file: BinaryIO) -> NativeFile | None:
    try:
        return arrow.OSFile(f"/dev/fd/{file.fileno()}", "rb")
    except (OSError, AttributeError):
        return None  # a file in memory, or a system without /dev/fd


class FileView(io.RawIOBase):
    """One reader's place in a shared file; closing it leaves the file open."""

    def __init__(self, shared: SharedFile) -> None:
        super().__init__()
        self._shared = shared
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, or all that are left."""
        found = self._shared.read_at(self._at, self._shared.size - self._at if size < 0 else size)
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to another place."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._shared.size}[whence]
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True
