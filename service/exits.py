"""How a command ends: exit codes, and what a person is told about an error.

0 done   2 usage or configuration   3 the input was rejected   4 the store failed   5 the run failed
"""

import errno
from dataclasses import dataclass
from enum import IntEnum
from tempfile import gettempdir

from config import ConfigError
from jobs.errors import InputRejected, JobError
from storage.errors import (
    CorruptObject,
    DropIncomplete,
    ObjectChanged,
    ObjectMissing,
    SchemaConflict,
    StorageError,
)


class Exit(IntEnum):
    """The exit codes; of several the largest counts as the worst."""

    DONE = 0
    USAGE = 2
    REJECTED = 3
    STORE_FAILED = 4
    RUN_FAILED = 5


_TITLES = {
    Exit.DONE: "Done",
    Exit.USAGE: "The configuration cannot be used",
    Exit.REJECTED: "The input was rejected",
    Exit.STORE_FAILED: "The store failed",
    Exit.RUN_FAILED: "The run failed",
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ALWAYS_OF_DROP = (InputRejected, SchemaConflict, DropIncomplete)
_OF_DROP_OR_STORE = (CorruptObject, ObjectChanged, ObjectMissing)


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a person is told of it.

    Attributes:
        exit_code: what the command returns.
        error: the class of the error.
        found: what was tried, on what, and what was found.
        hint: what to do about it; may be empty.
    """

    exit_code: Exit
    error: str
    found: str
    hint: str = ""

    @property
    def title(self) -> str:
        """One line that says what kind of failure it is."""
        return _TITLES[self.exit_code]

    def to_json(self) -> dict[str, object]:
        """Return what a command with --json prints."""
        return {
            "exit_code": int(self.exit_code),
            "error": {"class": self.error, "message": self.found, "hint": self.hint},
        }


def failure_of(error: Exception, *, is_of_drop: bool = True) -> Failure:
    """Say what an error means to the person who typed the command; `is_of_drop` as in exit_code_of."""
    code, name = exit_code_of(error, is_of_drop=is_of_drop), type(error).__name__
    if isinstance(error, StorageError):
        return Failure(code, name, f"{error.operation} {error.key}: {error.found}", error.hint)
    if isinstance(error, JobError | ConfigError):
        return Failure(code, name, str(error))
    hint = "This is a fault of the program: set WINNOW_LOG__LEVEL=debug to see where, and report it"
    if _says_full(error):
        hint = f"The temporary folder is full, or files may not grow: free {gettempdir()}, or set TMPDIR to another one"
    return Failure(code, name, f"{name}: {error}", hint)


def _says_full(error: Exception) -> bool:
    """Whether a disk has no room left; libraries that are no Python have errors of their own for it."""
    return getattr(error, "errno", None) in _FULL or "No space left on device" in str(error)


def exit_code_of(error: Exception, *, is_of_drop: bool = True) -> Exit:
    """Return the exit code of a command that this error ended.

    Args:
        error: what happened.
        is_of_drop: whether it came from the run of a drop; an object that is damaged or missing elsewhere, such as a
            claim or a tombstone, is no fault of the input.
    """
    if isinstance(error, ConfigError):
        return Exit.USAGE
    if isinstance(error, _ALWAYS_OF_DROP) or (is_of_drop and isinstance(error, _OF_DROP_OR_STORE)):
        return Exit.REJECTED
    return Exit.STORE_FAILED if isinstance(error, StorageError) else Exit.RUN_FAILED
