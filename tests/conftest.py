"""What all tests share: a real S3 server in this process, and fresh buckets on it."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.servers.fixtures import point_at, servers

__all__ = ["point_at", "servers"]

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Return the address of an S3 server that lives as long as the tests."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line per request otherwise
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_environment(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point boto3 at the test server, by the environment as an operator would."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_url)
    return moto_url


@pytest.fixture(scope="session")
def s3_client(moto_url: str) -> "S3Client":
    """Return boto3's own client, to arrange what a store must find. One for all tests: it takes long to make."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=moto_url, **keys)


@pytest.fixture
def s3_root(s3_environment: str, s3_client: "S3Client") -> str:
    """Return the URL of a folder in a fresh bucket."""
    bucket = f"test-{uuid4().hex}"
    s3_client.create_bucket(Bucket=bucket)
    return f"s3://{bucket}/root"


@pytest.fixture
def versioned_s3_root(s3_root: str, s3_client: "S3Client") -> str:
    """Return the URL of a folder in a fresh bucket that keeps versions."""
    bucket = s3_root.split("/")[2]
    s3_client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3_root
