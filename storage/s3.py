"""S3, and every server that speaks it, as an object store.

Reads and deletes name their version (VersionId where the bucket keeps versions, else If-Match); conditional writes are
settled by storage/s3_conditions.py. Sources: docs/protocol.md; the S3 API reference (conditional requests). Quirks
kept: Ceph 16 matches only etags without quotes, ignores conditions on DELETE and leaves the etag out of the answer to a
finished multipart upload. It refuses to delete what it cannot delete exactly.
"""

import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from storage.errors import CorruptObject, ObjectChanged, ObjectExists
from storage.keys import PROBE_FOLDER, is_unique
from storage.s3_clients import connect
from storage.s3_conditions import PAUSES_SECONDS, Conditions
from storage.s3_errors import is_missing, is_refusal, is_unmet, translate, translated
from storage.s3_listing import identity, keeps_versions, list_objects, list_uploads, list_versions
from storage.store import Deletion, ObjectInfo

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        PutObjectOutputTypeDef,
    )

PIECE_BYTES = 8 * 2**20


class S3Store:
    """An object store in a bucket, below a prefix.

    Args:
        bucket: its name.
        prefix: the folder in it, with or without a "/" at its end; empty for the whole bucket.
    """

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        clients = connect(self.url)
        self._client = clients.patient
        self._conditions = Conditions(clients, bucket, self._prefix + PROBE_FOLDER)
        self._keeps_versions: bool | None = None

    @property
    def url(self) -> str:
        """The root: "s3://bucket/prefix/"."""
        return f"s3://{self._bucket}/{self._prefix}"

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix`, in key order."""
        with translated("list", self.url + prefix):
            if self._keeps_versions is None:
                self._keeps_versions = keeps_versions(self._client, self._bucket)
            pages = list_versions if self._keeps_versions else list_objects
            for info in pages(self._client, self._bucket, self._prefix + prefix):
                yield replace(info, key=info.key.removeprefix(self._prefix))

    def head(self, key: str) -> ObjectInfo:
        """Return the identity of the object now under `key`."""
        with translated("head", self.url + key):
            return self._head(key)

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        """Return a small object whole, with its identity."""
        with translated("read", self.url + key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            with closing(answer["Body"]) as stream:
                body = stream.read()
        return body, _written(key, len(body), answer)

    @contextmanager
    def open(self, info: ObjectInfo) -> Generator[BinaryIO]:
        """Bring exactly the version that `info` names into a file without a name, and open that."""
        with tempfile.TemporaryFile(prefix="winnow-") as file:
            with translated("open", self.url + info.key):
                self._download(info, file)
            if file.tell() != info.size:
                found = f"{file.tell()} bytes came instead of {info.size}"
                raise CorruptObject("open", self.url + info.key, found)
            file.seek(0)
            yield file

    def write(self, key: str, source: bytes | Path | BinaryIO) -> ObjectInfo:
        """Write an object, in pieces where it is large."""
        with translated("write", self.url + key):
            if isinstance(source, bytes):
                self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=source)
            elif isinstance(source, Path):
                with source.open("rb") as file:
                    self._client.upload_fileobj(file, self._bucket, self._prefix + key)
            else:
                self._client.upload_fileobj(source, self._bucket, self._prefix + key)
            return self._head(key)

    def create(self, key: str, body: bytes) -> ObjectInfo:
        """Write an object only if the key is free."""
        with translated("create", self.url + key):
            answer = self._conditions.create(self._prefix + key, body)
        if answer is None:
            raise ObjectExists("create", self.url + key, "the key is taken")
        return _written(key, len(body), answer)

    def replace(self, key: str, body: bytes, expected: ObjectInfo) -> ObjectInfo:
        """Write an object only if the version now there is `expected`."""
        with translated("replace", self.url + key):
            answer = self._conditions.replace(self._prefix + key, body, expected.etag)
        if answer is None:
            raise ObjectChanged("replace", self.url + key, "another version is there, or none")
        return _written(key, len(body), answer)

    def delete(self, info: ObjectInfo) -> Deletion:
        """Delete exactly the version that `info` names.

        Without versions and without conditions on DELETE only a key that nobody writes twice is compared and deleted;
        any other is DENIED.
        """
        try:
            return self._delete_current(info) if info.version is None else self._delete_version(info, info.version)
        except (BotoCoreError, ClientError) as error:
            if is_refusal(error):
                return Deletion.DENIED
            raise translate(error, "delete", self.url + info.key) from error

    def discard_unfinished(self, before: datetime) -> int:
        """Abort uploads in pieces that were never completed."""
        with translated("discard_unfinished", self.url):
            stale = [
                upload for upload in list_uploads(self._client, self._bucket, self._prefix) if upload.begun < before
            ]
            for upload in stale:
                with suppress(self._client.exceptions.NoSuchUpload):  # somebody else was faster
                    self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload.key, UploadId=upload.name)
        return len(stale)

    def deletes_conditionally(self) -> bool:
        """Tell whether the server honours conditions on DELETE."""
        with translated("probe", self.url + PROBE_FOLDER):
            return self._conditions.honoured_on_delete()

    def _head(self, key: str, version: str | None = None) -> ObjectInfo:
        full = self._prefix + key
        if version is None:
            answer = self._client.head_object(Bucket=self._bucket, Key=full)
        else:
            answer = self._client.head_object(Bucket=self._bucket, Key=full, VersionId=version)
        size, etag = answer["ContentLength"], answer["ETag"]
        return identity(key, size, etag, answer.get("VersionId"), answer["LastModified"])

    def _delete_version(self, info: ObjectInfo, version: str) -> Deletion:
        try:
            self._head(info.key, version)
        except ClientError as error:
            if is_missing(error):
                return Deletion.GONE
            raise
        self._client.delete_object(Bucket=self._bucket, Key=self._prefix + info.key, VersionId=version)
        return Deletion.DELETED

    def _delete_current(self, info: ObjectInfo) -> Deletion:
        try:
            if not _is_same(self._head(info.key), info):
                return Deletion.CHANGED
            if not (is_unique(info.key) or self._conditions.honoured_on_delete()):
                return Deletion.DENIED
            self._conditions.delete(self._prefix + info.key, info.etag)
        except ClientError as error:
            if is_missing(error):
                return Deletion.GONE
            if is_unmet(error):
                return Deletion.CHANGED
            raise
        return Deletion.DELETED

    def _download(self, info: ObjectInfo, file: BinaryIO) -> None:
        """Fetch the object, going on where an answer breaks off."""
        if info.size == 0:  # a range of nothing is an error: only look
            if not _is_same(self._head(info.key, info.version), info):
                raise ObjectChanged("open", self.url + info.key, "another version is there")
            return None
        for pause in PAUSES_SECONDS:
            try:
                return self._append(info, file)
            except BotoCoreError:
                time.sleep(pause)
        return self._append(info, file)

    def _append(self, info: ObjectInfo, file: BinaryIO) -> None:
        """Append the rest of the object to what is in the file."""
        answer = self._conditions.matching(
            self._prefix + info.key, info.etag, lambda etag: self._get(info, etag, file.tell())
        )
        with closing(answer["Body"]) as stream:
            file.writelines(stream.iter_chunks(PIECE_BYTES))

    def _get(self, info: ObjectInfo, etag: str, offset: int) -> "GetObjectOutputTypeDef":
        full, rest = self._prefix + info.key, f"bytes={offset}-"
        if info.version is None:
            return self._client.get_object(Bucket=self._bucket, Key=full, Range=rest, IfMatch=etag)
        return self._client.get_object(Bucket=self._bucket, Key=full, Range=rest, VersionId=info.version)


def _is_same(there: ObjectInfo, info: ObjectInfo) -> bool:
    """Compare identities; all empty objects share one etag, so for those the second of their writing counts too."""
    if info.size == 0 and there.modified.replace(microsecond=0) != info.modified.replace(microsecond=0):
        return False
    return (there.etag, there.size) == (info.etag, info.size)


def _written(key: str, size: int, answer: "PutObjectOutputTypeDef | GetObjectOutputTypeDef") -> ObjectInfo:
    """Return the identity from the answer to a GET, or to a PUT, which carries the server's clock only as Date."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    clock = parsedate_to_datetime(date) if date else datetime.now(UTC)
    modified = answer.get("LastModified", clock)
    return identity(key, size, answer["ETag"], answer.get("VersionId"), modified)
