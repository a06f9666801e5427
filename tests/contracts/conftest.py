"""The stores that the contract is run against."""

import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from storage import ObjectStore, open_store
from storage.s3_clients import S3Clients
from tests.reliability.memory_s3 import Answer, MemoryClient, MemoryS3
from tests.servers.fixtures import fresh_bucket
from tests.servers.server import Server

KINDS = [
    "local",
    "memory",
    "versioned memory",
    "moto",
    "versioned moto",
    "ministack",
    "versioned ministack",
    "ceph",
    "versioned ceph",
]


UNSAFE = (
    "versioned ceph"  # Ceph 16 ignores conditions on PUT where versions are kept: good for drops, refused for results
)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """Return an empty store of each kind."""
    return _store(request, tmp_path, monkeypatch)


@pytest.fixture(params=[kind for kind in KINDS if kind != UNSAFE])
def safe_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """Return an empty store of each kind that keeps conditions on writes."""
    return _store(request, tmp_path, monkeypatch)


def _store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    kind, is_versioned = request.param.removeprefix("versioned "), request.param.startswith("versioned")
    if kind == "local":
        return open_store(str(tmp_path / "root"))
    if kind == "memory":
        memory = MemoryS3(keeps_versions=is_versioned, buckets={"bucket": {}})
        monkeypatch.setattr("storage.s3.connect", lambda _url: in_memory(memory))
        return open_store("s3://bucket/root")
    server: Server = request.getfixturevalue("servers")(kind)
    request.getfixturevalue("point_at")(server)
    return open_store(f"s3://{fresh_bucket(server, is_versioned=is_versioned)}/root")


def in_memory(server: MemoryS3) -> S3Clients:
    """Return clients whose requests come one after another."""
    lock = threading.Lock()

    def send(_operation: str, execute: Callable[[], Answer]) -> Answer:
        with lock:
            return execute()

    client = MemoryClient(server, f"client-{uuid4().hex}", send)
    return S3Clients(patient=client, once=client)  # pyright: ignore[reportArgumentType]
