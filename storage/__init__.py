"""Where bytes live: the only room that knows S3, files and parquet. It knows nothing of learning."""

from pathlib import Path

from storage.errors import StorageError
from storage.local import LocalStore
from storage.s3 import S3Store
from storage.store import Deletion, ObjectInfo, ObjectStore

__all__ = ["Deletion", "ObjectInfo", "ObjectStore", "StorageError", "open_store"]


def open_store(url: str) -> ObjectStore:
    """Open the store rooted at `url`; nothing is sent or made yet.

    Args:
        url: "s3://bucket/prefix", "file:///folder", or a plain path; taken as it is, without percent-decoding.

    Raises:
        ValueError: the URL names another kind of store, or no bucket.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return LocalStore(Path(url))
    if scheme == "file" and rest.startswith("/"):
        return LocalStore(Path(rest))
    bucket, _, prefix = rest.partition("/")
    if scheme == "s3" and bucket:
        return S3Store(bucket, prefix)
    raise ValueError(f"{url!r} is no store: expected s3://bucket/prefix, file:///folder or a path")
