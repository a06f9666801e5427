# pyright: reportTypedDictNotRequiredAccess=false
# The stubs call every field of an answer optional; S3 always sends these.
"""Turns what S3 says about objects into identities, and lists them, with versions where the bucket keeps them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from storage.s3_errors import is_uncertain
from storage.store import ObjectInfo

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PaginatorConfigTypeDef

PAGE_KEYS = 1000  # the most that S3 gives at once
NULL_VERSION = "null"  # the version of objects written while versioning was off: overwritten in place, so no identity


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in pieces that is not complete.

    Attributes:
        key: of the object that it would become, in its bucket.
        name: by which the server knows it.
        begun: when, by the clock of the server.
    """

    key: str
    name: str
    begun: datetime


def identity(key: str, size: int, etag: str, version: str | None, modified: datetime) -> ObjectInfo:
    """Return the identity of an object from the fields of an S3 answer."""
    return ObjectInfo(key, size, etag.strip('"'), None if version == NULL_VERSION else version, modified)


def keeps_versions(client: "S3Client", bucket: str) -> bool:
    """Tell whether listings can name versions: the bucket keeps them and we may see them.

    Where we may not, objects are held to their etags instead: less exact for empty markers, and as safe.
    """
    try:
        if client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
            return False
        client.list_object_versions(Bucket=bucket, MaxKeys=1)
    except ClientError as error:
        if is_uncertain(error):
            raise
        return False
    return True


def list_objects(client: "S3Client", bucket: str, prefix: str) -> Iterator[ObjectInfo]:
    """Yield the objects of a bucket whose keys start with `prefix`, in key order."""
    pages: PaginatorConfigTypeDef = {"PageSize": PAGE_KEYS}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, PaginationConfig=pages):
        for entry in page.get("Contents", []):
            yield identity(entry["Key"], entry["Size"], entry["ETag"], None, entry["LastModified"])


def list_versions(client: "S3Client", bucket: str, prefix: str) -> Iterator[ObjectInfo]:
    """Yield the current versions of a bucket whose keys start with `prefix`, in key order."""
    pages: PaginatorConfigTypeDef = {"PageSize": PAGE_KEYS}
    for page in client.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix=prefix, PaginationConfig=pages
    ):
        for entry in page.get("Versions", []):
            if entry["IsLatest"]:
                yield identity(entry["Key"], entry["Size"], entry["ETag"], entry["VersionId"], entry["LastModified"])


def list_uploads(client: "S3Client", bucket: str, prefix: str) -> Iterator[Upload]:
    """Yield the uploads in pieces below a prefix that are not complete."""
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Uploads", []):
            yield Upload(entry["Key"], entry["UploadId"], entry["Initiated"])
