"""Sends requests with conditions to one bucket: what to do when the answer is lost, refused or doubtful.

A conditional write is sent once at a time; when its answer is lost it is sent again, and a refusal is settled by
reading the key back: our bytes there mean that the write was ours. Keys here are those of the bucket.
"""

import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from storage.keys import new_nonce
from storage.s3_clients import S3Clients
from storage.s3_errors import is_missing, is_refusal, is_uncertain, is_unmet

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, PutObjectOutputTypeDef

PAUSES_SECONDS = (0.1, 0.4, 1.0, 3.0)  # between the five tries of a conditional write
_NO_ETAG = "0" * 32
_T = TypeVar("_T")


class Conditions:
    """Conditional requests to one bucket.

    Args:
        clients: how to speak to the server.
        bucket: its name.
        probe_folder: where a key of our own may be written, to learn how the server deletes.
    """

    def __init__(self, clients: S3Clients, bucket: str, probe_folder: str) -> None:
        self._clients = clients
        self._bucket = bucket
        self._probe_folder = probe_folder
        self._quotes_etags = True
        self._deletes_conditionally: bool | None = None

    def matching(self, key: str, etag: str, send: Callable[[str], _T]) -> _T:
        """Send a request with If-Match, with quotes as the standard says, and without them where only that matches.

        Args:
            key: on what.
            etag: the expected one, without quotes.
            send: sends the request with the text of the header.
        """
        if not self._quotes_etags:
            return send(etag)
        try:
            return send(f'"{etag}"')
        except ClientError as error:
            if not is_unmet(error) or not self._is_there(key, etag):
                raise
        answer = send(etag)
        self._quotes_etags = False
        return answer

    def create(self, key: str, body: bytes) -> "PutObjectOutputTypeDef | GetObjectOutputTypeDef | None":
        """Put an object under a free key; None when it is taken by other bytes."""
        client = self._clients.once
        return self._settle(
            key, body, lambda: client.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
        )

    def replace(self, key: str, body: bytes, expected: str) -> "PutObjectOutputTypeDef | GetObjectOutputTypeDef | None":
        """Put an object over the one with the etag `expected`; None when that one is not there."""
        client = self._clients.once

        def put(etag: str) -> "PutObjectOutputTypeDef":
            return client.put_object(Bucket=self._bucket, Key=key, Body=body, IfMatch=etag)

        return self._settle(key, body, lambda: self.matching(key, expected, put))

    def delete(self, key: str, expected: str) -> None:
        """Delete the object with the etag `expected`; where the server ignores conditions, whatever is there."""
        client = self._clients.patient
        self.matching(key, expected, lambda etag: client.delete_object(Bucket=self._bucket, Key=key, IfMatch=etag))

    def honoured_on_delete(self) -> bool:
        """Tell whether the server honours If-Match on DELETE, by trying it once on a key of our own."""
        if self._deletes_conditionally is None:
            self._deletes_conditionally = self._refuses_stale_delete(self._probe_folder + new_nonce())
        return self._deletes_conditionally

    def _refuses_stale_delete(self, key: str) -> bool:
        client = self._clients.patient
        try:
            client.put_object(Bucket=self._bucket, Key=key, Body=key.encode())
        except ClientError as error:
            if not is_refusal(error):
                raise
            # We may not write here. Go on without: a server that honours the condition says 404, else 204.
        try:
            client.delete_object(Bucket=self._bucket, Key=key, IfMatch=f'"{_NO_ETAG}"')
        except ClientError as error:
            client.delete_object(Bucket=self._bucket, Key=key)
            return is_unmet(error) or is_missing(error)
        return False

    def _settle(
        self, key: str, body: bytes, put: Callable[[], "PutObjectOutputTypeDef"]
    ) -> "PutObjectOutputTypeDef | GetObjectOutputTypeDef | None":
        """Repeat a conditional write until it is known whose bytes are there.

        Sending again is safe: whichever of our requests arrives first makes the condition false for the others.
        """
        for pause in PAUSES_SECONDS:
            try:
                return put()
            except (BotoCoreError, ClientError) as error:
                if isinstance(error, ClientError) and (is_unmet(error) or is_missing(error)):
                    return self._read_back(key, body)
                if not is_uncertain(error):
                    raise
            time.sleep(pause)
        try:
            return put()
        except ClientError as error:
            if not is_unmet(error):
                raise
            return self._read_back(key, body)

    def _read_back(self, key: str, body: bytes) -> "GetObjectOutputTypeDef | None":
        try:
            answer = self._clients.patient.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        with closing(answer["Body"]) as stream:
            return answer if stream.read() == body else None

    def _is_there(self, key: str, etag: str) -> bool:
        try:
            there = self._clients.patient.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if is_missing(error):
                return False
            raise
        return there["ETag"].strip('"') == etag
