"""Says in our words what botocore and the S3 server said in theirs, with what an operator can do about it.

Decides nothing: whether to try again is the business of service/retry.py. Sources: the error tables of the S3 API
reference, and the answers of Ceph, MinIO and moto.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from storage.errors import AccessDenied, ObjectChanged, ObjectMissing, StorageError, StorageUnavailable

_USERINFO = re.compile(r"[^\s/\"'<>]+@")  # what stands before the host of an address
_MISSING = {"404", "NoSuchKey", "NoSuchVersion", "NotFound"}
_CHANGED = {"412", "PreconditionFailed"}
_REFUSED = {"AccessDenied", "ObjectLocked"}
_CREDENTIALS_HINT = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
_DENIED_HINTS = {
    "AccessDenied": "Grant this identity list, get, put and delete on the bucket and prefix",
    "403": "Grant this identity list, get, put and delete on the bucket and prefix, and look at its keys",
    "InvalidAccessKeyId": "The server does not know AWS_ACCESS_KEY_ID: look for a wrong key or a wrong endpoint",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
    "ExpiredToken": "The session token has expired: renew the credentials",
    "InvalidToken": "The session token is not valid here: renew the credentials",
    "RequestTimeTooSkewed": "The clock of this machine is wrong: set it",
    "InvalidObjectState": "The object is archived: restore it first",
    "AllAccessDisabled": "The owner has disabled this bucket",
}
_UNAVAILABLE_HINTS = {
    "NoSuchBucket": "Create the bucket, or correct its name in the URL",
    "PermanentRedirect": "The bucket lives in another region: set AWS_REGION or AWS_ENDPOINT_URL_S3",
    "AuthorizationHeaderMalformed": "The bucket lives in another region: set AWS_REGION",
    "SlowDown": "The server asks for fewer requests: it is safe to try again later",
}
_BUCKET_HINT = "Correct the URL: a bucket has 3 to 63 lower-case letters, digits, dots and hyphens"
_UNREACHABLE_HINT = "Is the server up, and is AWS_ENDPOINT_URL_S3 its address?"


def code_of(error: ClientError) -> str:
    """Return the S3 error code of an answer; HEAD has no body, there it is the HTTP status as text."""
    return error.response.get("Error", {}).get("Code", "")


def status_of(error: ClientError) -> int:
    """Return the HTTP status of an answer, or 0."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def is_missing(error: ClientError) -> bool:
    """Tell whether the answer was: no such object (a missing bucket is another matter)."""
    return code_of(error) in _MISSING


def is_unmet(error: ClientError) -> bool:
    """Tell whether a condition of the request did not hold."""
    return code_of(error) in _CHANGED or status_of(error) == 412


def is_refusal(error: BotoCoreError | ClientError) -> bool:
    """Tell whether the server knows us and says no, for good; a bad or expired credential is no such answer."""
    return isinstance(error, ClientError) and code_of(error) in _REFUSED


def is_uncertain(error: BotoCoreError | ClientError) -> bool:
    """Tell whether the request may or may not have been carried out, and may be sent again."""
    if isinstance(error, ClientError):
        return status_of(error) >= 500 or status_of(error) in {409, 429} or code_of(error) == "SlowDown"
    return isinstance(error, HTTPClientError)


def without_secrets(error: object) -> str:
    """Return the text of an error without the name and password that the address in it may carry."""
    return _USERINFO.sub("***@", str(error))


def translate(error: BotoCoreError | ClientError, operation: str, url: str) -> StorageError:
    """Return our error for one of botocore's.

    Args:
        error: what boto3 raised.
        operation: what was tried, as a verb.
        url: on what, absolute.
    """
    if isinstance(error, ClientError):
        return _translate_answer(error, operation, url)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return AccessDenied(operation, url, "there are no credentials", _CREDENTIALS_HINT)
    if isinstance(error, ParamValidationError):
        return StorageUnavailable(operation, url, *_invalid(str(error)))
    return StorageUnavailable(
        operation, url, f"the server did not answer ({without_secrets(error)})", _UNREACHABLE_HINT
    )


def _translate_answer(error: ClientError, operation: str, url: str) -> StorageError:
    code = code_of(error)
    found = f"the server answered {code}: {error.response.get('Error', {}).get('Message', '')}".rstrip(": ")
    if code in _MISSING:
        return ObjectMissing(operation, url, "there is no such object")
    if is_unmet(error):
        return ObjectChanged(operation, url, "another version is there")
    if code in _DENIED_HINTS or status_of(error) == 403:
        return AccessDenied(operation, url, found, _DENIED_HINTS.get(code, _DENIED_HINTS["403"]))
    return StorageUnavailable(operation, url, found, _UNAVAILABLE_HINTS.get(code, ""))


def _invalid(report: str) -> tuple[str, str]:
    """Say what botocore would not even send: what was found, and what to do."""
    if "bucket" in report.lower():
        return "the bucket name is not valid", _BUCKET_HINT
    return f"the request is not valid ({' '.join(report.split())})", "Correct the URL"


@contextmanager
def translated(operation: str, url: str) -> Generator[None]:
    """Turn what boto3 raises inside into our errors."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise translate(error, operation, url) from error
