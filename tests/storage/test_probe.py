"""A store is asked before it is trusted."""

from pathlib import Path

import pytest

from storage import open_store
from storage.errors import UnsafeStore
from storage.probe import Capabilities, probe
from tests.contracts.s3_proxy import S3Proxy, running
from tests.servers.fixtures import PointAt, Servers, fresh_bucket


@pytest.fixture
def unsafe(s3_root: str, s3_environment: str) -> S3Proxy:
    """Return faults to choose from, for a bucket that exists."""
    return S3Proxy(s3_environment)


def test_a_folder_can_do_all_but_versions(tmp_path: Path) -> None:
    assert probe(open_store(str(tmp_path))) == Capabilities(conditional_delete=True, versioned=False)


def test_s3_can_do_all_but_versions(s3_root: str) -> None:
    assert probe(open_store(s3_root)) == Capabilities(conditional_delete=True, versioned=False)


def test_versions_are_noticed(versioned_s3_root: str) -> None:
    assert probe(open_store(versioned_s3_root)).versioned is True


@pytest.mark.parametrize("kind", ["s3_root", "versioned_s3_root"])
def test_nothing_is_left_behind(kind: str, request: pytest.FixtureRequest) -> None:
    store = open_store(request.getfixturevalue(kind))
    probe(store)
    assert list(store.list()) == []


def test_nothing_is_left_behind_in_a_folder(tmp_path: Path) -> None:
    probe(open_store(str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == [".winnow-lock"]


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_a_server_that_ignores_conditions_is_refused(
    unsafe: S3Proxy, header: str, s3_root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsafe.ignored = {("PUT", header)}
    with running(unsafe) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        store = open_store(s3_root)
        with pytest.raises(UnsafeStore, match=header):
            probe(store)
        assert list(store.list()) == []


def test_a_server_that_ignores_conditions_on_delete_is_noticed(
    unsafe: S3Proxy, s3_root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsafe.ignored = {("DELETE", "If-Match")}
    with running(unsafe) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        store = open_store(s3_root)
        assert probe(store).conditional_delete is False
        assert list(store.list()) == []


@pytest.mark.parametrize("kind", ["rclone", "s3rver"])
def test_servers_that_ignore_conditions_are_refused(kind: str, servers: Servers, point_at: PointAt) -> None:
    server = servers(kind)
    point_at(server)
    with pytest.raises(UnsafeStore, match="the store ignores If-None-Match"):
        probe(open_store(f"s3://{fresh_bucket(server)}/root"))


@pytest.mark.parametrize(("kind", "deletes_conditionally"), [("moto", True), ("ministack", True), ("ceph", False)])
def test_what_servers_can_do_is_known(
    kind: str, deletes_conditionally: bool, servers: Servers, point_at: PointAt
) -> None:
    server = servers(kind)
    point_at(server)
    store = open_store(f"s3://{fresh_bucket(server)}/root")
    assert probe(store) == Capabilities(conditional_delete=deletes_conditionally, versioned=False)
    assert list(store.list()) == []


def test_a_bucket_with_versions_on_ceph_is_refused(servers: Servers, point_at: PointAt) -> None:
    point_at(servers("ceph"))
    store = open_store(f"s3://{fresh_bucket(servers('ceph'), is_versioned=True)}/root")
    with pytest.raises(UnsafeStore):
        probe(store)
    assert list(store.list()) == []
