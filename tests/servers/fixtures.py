"""Servers that live as long as the tests, each started when it is first asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from storage import s3_clients
from tests.servers.kinds import started
from tests.servers.server import Server

Servers = Callable[[str], Server]
PointAt = Callable[[Server], None]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Return the one server of each kind."""
    known: dict[str, Server] = {}
    with ExitStack() as stack:

        def server(name: str) -> Server:
            if name not in known:
                known[name] = stack.enter_context(started(name, tmp_path_factory.mktemp(name)))
            return known[name]

        yield server


@pytest.fixture
def point_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[PointAt]:
    """Return what points the product at a server, by the environment as an operator would."""

    def point(server: Server) -> None:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        s3_clients._session.cache_clear()  # it keeps the credentials that it found first

    yield point
    s3_clients._session.cache_clear()


def fresh_bucket(server: Server, *, is_versioned: bool = False) -> str:
    """Make an empty bucket; return its name."""
    client, bucket = server.client(), f"test-{uuid4().hex}"
    client.create_bucket(Bucket=bucket)
    if is_versioned:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket
