"""One open file under several readers at once.

Arrow reads a Python file by seeking and then reading; two readers of one file would take each other's place in it.
Here each has a place of its own, and reads with pread where the file has a descriptor, else one at a time.
"""

import io
import os
import threading
from typing import BinaryIO


class SharedFile:
    """A file open for random access, of which any number of views may be read at the same time.

    Args:
        file: stays the caller's to close, after the last read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._descriptor = _descriptor(file)
        self.size = file.seek(0, os.SEEK_END)

    def view(self) -> "FileView":
        """Return the file with a place of its own, at its beginning."""
        return FileView(self)

    def read_at(self, at: int, n_bytes: int) -> bytes:
        """Return up to `n_bytes` from `at` on; fewer only where the file ends."""
        if self._descriptor is None:
            with self._lock:
                self._file.seek(at)
                return self._file.read(n_bytes)
        found = os.pread(self._descriptor, n_bytes, at)
        while 0 < len(found) < n_bytes and (more := os.pread(self._descriptor, n_bytes - len(found), at + len(found))):
            found += more
        return found


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


def _descriptor(file: BinaryIO) -> int | None:
    try:
        return file.fileno() if hasattr(os, "pread") else None
    except (OSError, AttributeError):
        return None  # a file in memory
