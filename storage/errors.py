"""Everything that can go wrong where bytes live.

    StorageError                 operation, key, hint
        ObjectMissing            no object under that key (or not that version of it)
        ObjectChanged            the object is not the one the snapshot named (a condition failed)
        ObjectExists             a create-only write found the key taken by somebody else
        AccessDenied             the store knows us and says no
        CorruptObject            the bytes are not what their name promises (a torn parquet footer)
        SchemaConflict           the parts of one drop do not have one common schema
        DropIncomplete           the folder is not (yet) a finished drop
        StorageUnavailable       the store did not answer, or said "later"
        ClaimLost                another worker owns the drop now
        UnsafeStore              the store ignores the conditions that the protocol stands on

An error says what happened; service/retry.py alone says what follows from it.
"""


class StorageError(Exception):
    """A storage operation failed.

    Args:
        operation: what was tried, as a verb ("read", "create", "list").
        key: on what: an absolute URL, or a key of the store.
        found: what was found instead.
        hint: what the operator can do about it.
    """

    def __init__(self, operation: str, key: str, found: str, hint: str = "") -> None:
        self.operation = operation
        self.key = key
        self.found = found
        self.hint = hint
        super().__init__(operation, key, found, hint)

    def __str__(self) -> str:
        """One line for people: operation, key, what was found, what to do."""
        sentence = f"{self.operation} {self.key}: {self.found}"
        return f"{sentence}. {self.hint}" if self.hint else sentence


class ObjectMissing(StorageError):
    """No object under that key, or not that version of it."""


class ObjectChanged(StorageError):
    """The object is not the one that was named: its etag or version differs."""


class ObjectExists(StorageError):
    """A create-only write found the key already taken."""


class AccessDenied(StorageError):
    """The store refused the operation for these credentials."""


class CorruptObject(StorageError):
    """The bytes are not what their name promises."""


class SchemaConflict(StorageError):
    """The parts of one drop do not have one common schema."""


class DropIncomplete(StorageError):
    """The folder is not (yet) a finished drop."""


class StorageUnavailable(StorageError):
    """The store did not answer, or asked to come back later."""


class ClaimLost(StorageError):
    """Another worker owns the drop now."""


class UnsafeStore(StorageError):
    """The store ignores the conditions that the protocol stands on."""
