"""Makes the two S3 clients of a store.

The endpoint, the region and the credentials are boto3's own affair: it reads AWS_ENDPOINT_URL_S3, AWS_REGION, keys,
profiles and roles by itself.

Conditional writes get a client that sends each request once: botocore's own second try, after an answer that was lost,
meets the object of the first and reports a won race as lost (measured; docs/protocol.md).
"""

import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from storage.errors import StorageUnavailable
from storage.s3_errors import without_secrets

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TOTAL_ATTEMPTS = 5
CONNECT_SECONDS = 3
READ_SECONDS = 30
POOL_CONNECTIONS = 64
_SESSION_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class S3Clients:
    """Two ways to speak to one server.

    Attributes:
        patient: tries again by itself; for everything that may be sent twice.
        once: sends each request once; for conditional writes.
    """

    patient: "S3Client"
    once: "S3Client"


def connect(url: str) -> S3Clients:
    """Make the clients for the endpoint that the environment names; nothing is sent yet.

    Args:
        url: of the store that they are for, to name it where that fails.

    Raises:
        StorageUnavailable: what the environment says of the server or the profile cannot be used.
    """
    try:
        return _connect()
    except ValueError as error:  # botocore has no class of its own for a bad endpoint
        hint = "AWS_ENDPOINT_URL_S3 must begin with http:// or https://"
        raise StorageUnavailable(
            "connect", url, f"the endpoint is not valid ({without_secrets(error)})", hint
        ) from error
    except BotoCoreError as error:
        hint = "Correct AWS_PROFILE, AWS_REGION or the files that they name"
        raise StorageUnavailable(
            "connect", url, f"the environment cannot be used ({without_secrets(error)})", hint
        ) from error


def _connect() -> S3Clients:
    plain = _client(Config())
    host = urlsplit(plain.meta.endpoint_url).hostname or ""
    is_custom = not host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    plain.close()
    return S3Clients(
        patient=_client(_config(TOTAL_ATTEMPTS, is_custom=is_custom)),
        once=_client(_config(1, is_custom=is_custom)),
    )


@cache
def _session() -> Session:
    """Return the one session of this process: it reads the description of S3, which takes longer than all the rest."""
    return Session()


def _client(config: Config) -> "S3Client":
    with _SESSION_LOCK:  # clients may be shared by threads, sessions may not
        # The stubs know 400 services; only S3's are installed.
        return _session().client("s3", config=config)  # pyright: ignore[reportUnknownMemberType]


def _config(attempts: int, *, is_custom: bool) -> Config:
    settings = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        tcp_keepalive=True,
        max_pool_connections=POOL_CONNECTIONS,
    )
    if not is_custom:
        return settings
    # Ceph 16 refuses the checksums that boto3 sends by default; a server in a compose file has no host per bucket.
    return settings.merge(
        Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
    )
