"""S3 in memory, as boto3's client shows it: versions, conditions, and a log of every change, for simulations.

Only what the storage room asks of a client is there. Answers and errors have the form that botocore gives them, so
the real S3 code of the product runs on it. Source: the S3 API reference.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import md5
from itertools import count
from typing import Any, BinaryIO, TypeVar

from botocore.exceptions import ClientError, ResponseStreamingError

T = TypeVar("T")
Answer = dict[str, Any]

CHANGES = frozenset({"put_object", "delete_object"})


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of one object, or the mark of a bucket with versions that it was deleted."""

    body: bytes
    etag: str
    version: str
    modified: datetime
    is_delete_marker: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One change that was carried out, for whoever checks what happened.

    Attributes:
        at: by the clock of the server.
        who: the client that asked.
        what: "put", "delete", or "hide": a delete that names no version, where versions are kept.
        bucket, key: where.
        stored: what came, or went.
    """

    at: datetime
    who: str
    what: str
    bucket: str
    key: str
    stored: Stored


@dataclass
class MemoryS3:
    """A server.

    Attributes:
        clock: its clock.
        keeps_versions: whether its buckets do.
        deletes_conditionally: whether If-Match on DELETE is honoured; Ceph 16 ignores it.
        denies: whether this client may not delete in this bucket.
        buckets: the versions of every key, the newest last.
        changes: what happened.
    """

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    keeps_versions: bool = False
    deletes_conditionally: bool = True
    denies: Callable[[str, str], bool] = lambda _who, _bucket: False
    buckets: dict[str, dict[str, list[Stored]]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def put(self, who: str, bucket: str, key: str, body: bytes) -> Stored:
        """Store an object."""
        stored = Stored(
            body, f'"{md5(body, usedforsecurity=False).hexdigest()}"', f"v{next(self._numbers)}", self.clock()
        )
        versions = self.buckets[bucket].setdefault(key, [])
        if not self.keeps_versions:
            versions.clear()
        versions.append(stored)
        self.changes.append(Change(self.clock(), who, "put", bucket, key, stored))
        return stored

    def delete(self, who: str, bucket: str, key: str, stored: Stored) -> None:
        """Remove one version."""
        versions = self.buckets[bucket][key]
        versions.remove(stored)
        if not versions:
            del self.buckets[bucket][key]
        self.changes.append(Change(self.clock(), who, "delete", bucket, key, stored))

    def there(self, bucket: str, key: str) -> Stored | None:
        """Return what is now under a key."""
        versions = self.buckets[bucket].get(key)
        return versions[-1] if versions and not versions[-1].is_delete_marker else None

    def hide(self, who: str, bucket: str, key: str, there: Stored) -> None:
        """Delete as a bucket with versions does where none is named: a mark on top of all versions."""
        mark = Stored(b"", "", f"v{next(self._numbers)}", self.clock(), is_delete_marker=True)
        self.buckets[bucket][key].append(mark)
        self.changes.append(Change(self.clock(), who, "hide", bucket, key, there))


class MemoryClient:
    """A client of the server, with boto3's names for what it can do.

    Args:
        server: the server.
        who: the name under which its changes are logged.
        send: called with the name of a request and what carries it out: the network, with what it does to both.
    """

    def __init__(self, server: MemoryS3, who: str, send: Callable[[str, Callable[[], Answer]], Answer]) -> None:
        self._server = server
        self._who = who
        self._send = send

    def get_bucket_versioning(self, **given: Any) -> Answer:  # noqa: ANN401 - boto3's own form
        """Say whether the bucket keeps versions."""
        return self._send("get_bucket_versioning", lambda: self._versioning(given["Bucket"]))

    def list_object_versions(self, **given: Any) -> Answer:  # noqa: ANN401
        """List a page of versions."""
        return self._send("list_object_versions", lambda: self._versions(given["Bucket"], given.get("Prefix", "")))

    def get_paginator(self, operation: str) -> "_Pages":
        """Return what lists all pages of an operation; here there is only one, and no upload comes in pieces."""
        lists = {"list_objects_v2": self._list, "list_object_versions": self._versions}
        return _Pages(self._send, operation, lists.get(operation, lambda _bucket, _prefix: {}))

    def head_object(self, **given: Any) -> Answer:  # noqa: ANN401
        """Describe an object."""
        return self._send("head_object", lambda: _described(self._found(given)))

    def get_object(self, **given: Any) -> Answer:  # noqa: ANN401
        """Return an object, or its end."""
        return self._send("get_object", lambda: self._get(given))

    def put_object(self, **given: Any) -> Answer:  # noqa: ANN401
        """Store an object, perhaps on a condition."""
        return self._send("put_object", lambda: self._put(given))

    def upload_fileobj(self, file: BinaryIO, bucket: str, key: str) -> None:
        """Store a file."""
        body = file.read()
        self._send("put_object", lambda: self._put({"Bucket": bucket, "Key": key, "Body": body}))

    def delete_object(self, **given: Any) -> Answer:  # noqa: ANN401
        """Delete an object, perhaps on a condition."""
        return self._send("delete_object", lambda: self._delete(given))

    def _bucket(self, name: str) -> dict[str, list[Stored]]:
        if name not in self._server.buckets:
            raise refusal(404, "NoSuchBucket")
        return self._server.buckets[name]

    def _versioning(self, bucket: str) -> Answer:
        self._bucket(bucket)
        return {"Status": "Enabled"} if self._server.keeps_versions else {}

    def _list(self, bucket: str, prefix: str) -> Answer:
        keys = sorted(key for key in self._bucket(bucket) if key.startswith(prefix))
        found = [(key, stored) for key in keys if (stored := self._server.there(bucket, key))]
        return {"Contents": [_listed(key, stored) for key, stored in found]}

    def _versions(self, bucket: str, prefix: str) -> Answer:
        entries = [
            {**_listed(key, stored), "VersionId": stored.version, "IsLatest": stored is versions[-1]}
            for key, versions in sorted(self._bucket(bucket).items())
            if key.startswith(prefix)
            for stored in reversed(versions)
            if not stored.is_delete_marker
        ]
        return {"Versions": entries}

    def _found(self, given: Answer) -> Answer:
        """Return the named version, or the newest, with what every answer about it says."""
        versions = self._bucket(given["Bucket"]).get(given["Key"], [])
        if "VersionId" in given:
            versions = [stored for stored in versions if stored.version == given["VersionId"]]
        if not versions or versions[-1].is_delete_marker:
            raise refusal(404, "NoSuchVersion" if "VersionId" in given else "NoSuchKey")
        return {"stored": versions[-1], "version": versions[-1].version if self._server.keeps_versions else None}

    def _get(self, given: Answer) -> Answer:
        found = self._found(given)
        if given.get("IfMatch", found["stored"].etag) != found["stored"].etag:
            raise refusal(412, "PreconditionFailed")
        offset = int(given["Range"].removeprefix("bytes=").removesuffix("-")) if "Range" in given else 0
        return {**_described(found), "Body": MemoryBody(found["stored"].body[offset:])}

    def _put(self, given: Answer) -> Answer:
        bucket, key = given["Bucket"], given["Key"]
        self._bucket(bucket)
        there = self._server.there(bucket, key)
        if "IfNoneMatch" in given and there is not None:
            raise refusal(412, "PreconditionFailed")
        if "IfMatch" in given and there is None:
            raise refusal(404, "NoSuchKey")
        if there is not None and given.get("IfMatch", there.etag) != there.etag:
            raise refusal(412, "PreconditionFailed")
        stored = self._server.put(self._who, bucket, key, given["Body"])
        return _described({"stored": stored, "version": stored.version if self._server.keeps_versions else None})

    def _delete(self, given: Answer) -> Answer:
        bucket, key = given["Bucket"], given["Key"]
        if self._server.denies(self._who, bucket):
            raise refusal(403, "AccessDenied")
        there = self._server.there(bucket, key)
        if "VersionId" in given:
            with suppress(ClientError):  # a version that is gone is no error
                self._server.delete(self._who, bucket, key, self._found(given)["stored"])
            return {}
        is_held = "IfMatch" in given and self._server.deletes_conditionally
        if there is None and is_held:
            raise refusal(404, "NoSuchKey")
        if there is not None and is_held and given["IfMatch"] != there.etag:
            raise refusal(412, "PreconditionFailed")
        if there is not None:
            remove = self._server.hide if self._server.keeps_versions else self._server.delete
            remove(self._who, bucket, key, there)
        return {}


class MemoryBody:
    """The body of an answer, which may break off.

    Args:
        content: all of it.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.breaks_off = False

    def read(self) -> bytes:
        """Return the rest."""
        return b"".join(self.iter_chunks(1 << 30))

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        """Yield the rest in pieces.

        Raises:
            ResponseStreamingError: it broke off.
        """
        end = len(self.content) // 2 if self.breaks_off else len(self.content)
        for start in range(0, end, size):
            yield self.content[start : min(start + size, end)]
        if self.breaks_off:
            raise ResponseStreamingError(error="the connection broke")

    def close(self) -> None:
        """Do nothing."""


class _Pages:
    """The pages of a listing."""

    def __init__(
        self,
        send: Callable[[str, Callable[[], Answer]], Answer],
        operation: str,
        list_page: Callable[[str, str], Answer],
    ) -> None:
        self._send = send
        self._operation = operation
        self._list = list_page

    def paginate(self, **given: Any) -> Iterator[Answer]:  # noqa: ANN401
        """Yield the pages."""
        yield self._send(self._operation, lambda: self._list(given["Bucket"], given["Prefix"]))


def refusal(status: int, code: str) -> ClientError:
    """Return the error that botocore raises for an answer."""
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": code}, "ResponseMetadata": metadata}, "request")


def _listed(key: str, stored: Stored) -> Answer:
    return {"Key": key, "Size": len(stored.body), "ETag": stored.etag, "LastModified": _second(stored.modified)}


def _described(found: Answer) -> Answer:
    stored, version = found["stored"], found["version"]
    headers = {"date": format_datetime(stored.modified, usegmt=True)}
    answer = {
        "ETag": stored.etag,
        "ContentLength": len(stored.body),
        "LastModified": _second(stored.modified),
        "ResponseMetadata": {"HTTPHeaders": headers},
    }
    return answer | ({"VersionId": version} if version else {})


def _second(moment: datetime) -> datetime:
    """Round down as S3 does."""
    return moment.replace(microsecond=0)
