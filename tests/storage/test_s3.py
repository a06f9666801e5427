"""What only S3 can do to us: lost answers, broken downloads, refusals, and servers with manners of their own."""

from collections.abc import Callable, Iterator

import pytest

from storage import Deletion, s3_clients, s3_conditions, s3_listing
from storage.errors import AccessDenied, ObjectChanged, ObjectExists, StorageUnavailable
from storage.s3 import S3Store
from storage.s3_clients import S3Clients
from tests.contracts.s3_proxy import S3Proxy, running
from tests.reliability.memory_s3 import Answer, MemoryClient, MemoryS3

_UUID_KEY = "part-00000-0f7c0e2c-1f0e-4c52-9d5f-0123456789ab-c000.parquet"


@pytest.fixture
def proxy(s3_environment: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Proxy]:
    """Stand between the store and its server."""
    faults = S3Proxy(s3_environment)
    with running(faults) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        yield faults


@pytest.fixture
def store(proxy: S3Proxy, s3_root: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """Return a store behind the proxy."""
    return _store(s3_root)


def _store(root: str) -> S3Store:
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    return S3Store(bucket, prefix)


def test_a_create_whose_answer_is_lost_is_known_to_be_ours(store: S3Store, proxy: S3Proxy) -> None:
    proxy.lose_answers = ["PUT"]
    info = store.create("a", b"mine")
    assert proxy.requests.count("PUT") == 2
    assert store.head("a").etag == info.etag


def test_a_create_whose_answer_is_lost_twice_is_known_to_be_ours(store: S3Store, proxy: S3Proxy) -> None:
    proxy.lose_answers = ["PUT", "PUT"]
    store.create("a", b"mine")
    assert store.read("a")[0] == b"mine"


def test_a_create_that_lost_the_race_and_its_answer_is_known_to_be_lost(store: S3Store, proxy: S3Proxy) -> None:
    store.create("a", b"theirs")
    proxy.lose_answers = ["PUT"]
    with pytest.raises(ObjectExists):
        store.create("a", b"mine")
    assert store.read("a")[0] == b"theirs"


def test_a_replace_whose_answer_is_lost_is_known_to_be_ours(store: S3Store, proxy: S3Proxy) -> None:
    first = store.create("a", b"1")
    proxy.lose_answers = ["PUT"]
    second = store.replace("a", b"2", first)
    assert store.head("a").etag == second.etag
    store.replace("a", b"3", second)


def test_a_download_that_breaks_off_goes_on_where_it_stopped(store: S3Store, proxy: S3Proxy) -> None:
    body = bytes(range(256)) * 4000
    info = store.write("a", body)
    proxy.requests.clear()
    proxy.cut_after = 300_000
    with store.open(info) as file:
        assert file.read() == body
    assert proxy.requests == ["GET", "GET"]


def test_a_download_that_breaks_off_never_goes_on_with_another_version(store: S3Store, proxy: S3Proxy) -> None:
    info = store.write("a", b"a" * 1000)
    proxy.cut_after = 300
    store.write("a", b"b" * 1000)
    with pytest.raises(ObjectChanged), store.open(info) as file:
        file.read()


def test_a_server_that_knows_only_etags_without_quotes_is_served(store: S3Store, proxy: S3Proxy) -> None:
    proxy.unquoted_only = True
    first = store.create("a", b"1")
    second = store.replace("a", b"2", first)
    with pytest.raises(ObjectChanged):
        store.replace("a", b"3", first)
    with store.open(second) as file:
        assert file.read() == b"2"
    assert store.delete(first) is Deletion.CHANGED
    assert store.read("a")[0] == b"2"


def test_without_conditional_deletes_only_keys_that_are_never_written_twice_are_deleted(
    store: S3Store, proxy: S3Proxy
) -> None:
    proxy.ignored = {("DELETE", "If-Match")}
    plain = store.write("part-0.parquet", b"x")
    unique = store.write(_UUID_KEY, b"x")
    assert store.delete(plain) is Deletion.DENIED
    assert store.delete(unique) is Deletion.DELETED
    assert [info.key for info in store.list()] == ["part-0.parquet"]


def test_how_the_server_deletes_is_learnt_without_the_right_to_write(store: S3Store, proxy: S3Proxy) -> None:
    proxy.refuse = {"PUT": (403, "AccessDenied")}
    assert store.deletes_conditionally() is True
    proxy.ignored = {("DELETE", "If-Match")}
    again = S3Store(store._bucket, "root")
    assert again.deletes_conditionally() is False


def test_a_refused_delete_is_an_answer(store: S3Store, proxy: S3Proxy) -> None:
    info = store.write(_UUID_KEY, b"x")
    proxy.refuse = {"DELETE": (403, "AccessDenied")}
    assert store.delete(info) is Deletion.DENIED


@pytest.mark.parametrize("code", ["ExpiredToken", "SignatureDoesNotMatch", "InvalidAccessKeyId"])
def test_a_delete_with_bad_credentials_is_a_failure(store: S3Store, proxy: S3Proxy, code: str) -> None:
    info = store.write(_UUID_KEY, b"x")
    proxy.refuse = {"DELETE": (403, code)}
    with pytest.raises(AccessDenied, match=code):
        store.delete(info)


def test_an_empty_object_written_again_later_is_another_one(store: S3Store) -> None:
    store.write("_SUCCESS", b"")
    (info,) = store.list()
    earlier = type(info)(info.key, 0, info.etag, None, info.modified.replace(year=2020))
    assert store.delete(earlier) is Deletion.CHANGED
    assert store.delete(info) is Deletion.DELETED


def test_a_missing_bucket_says_what_to_do(s3_environment: str) -> None:
    with pytest.raises(StorageUnavailable, match="Create the bucket") as raised:
        list(S3Store("no-such-bucket", "x").list())
    assert raised.value.key == "s3://no-such-bucket/x/"
    assert raised.value.operation == "list"


def test_an_unreachable_endpoint_says_what_to_do(s3_environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setattr(s3_conditions, "PAUSES_SECONDS", (0.0,))
    with pytest.raises(StorageUnavailable, match="AWS_ENDPOINT_URL_S3"):
        S3Store("bucket").create("a", b"x")


def test_missing_credentials_say_what_to_do(s3_environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3_clients._session.cache_clear()
    try:
        with pytest.raises(AccessDenied, match="AWS_ACCESS_KEY_ID"):
            S3Store("bucket").head("a")
    finally:
        s3_clients._session.cache_clear()


def test_more_keys_than_a_page_are_all_listed(
    s3_root: str, versioned_s3_root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_listing, "PAGE_KEYS", 3)
    for store in (_store(s3_root), _store(versioned_s3_root)):
        for i in range(7):
            store.write(f"{i}", b"x")
        store.write("3", b"again")
        assert [(info.key, info.size) for info in store.list()] == [(f"{i}", 5 if i == 3 else 1) for i in range(7)]


def test_a_deleted_object_of_a_versioned_bucket_is_not_listed(versioned_s3_root: str, s3_client: object) -> None:
    store = _store(versioned_s3_root)
    store.write("a", b"x")
    store._client.delete_object(Bucket=store._bucket, Key="root/a")
    assert list(store.list()) == []
    store.create("a", b"y")
    assert store.read("a")[0] == b"y"


def test_stores_in_one_bucket_do_not_see_each_other(s3_root: str) -> None:
    store, neighbour = _store(s3_root), _store(s3_root + "2")
    neighbour.write("a", b"x")
    assert list(store.list()) == []
    assert [info.key for info in _store(s3_root.removesuffix("/root")).list()] == ["root2/a"]


def test_a_bucket_name_that_is_not_valid_is_named(s3_environment: str) -> None:
    with pytest.raises(StorageUnavailable, match="the bucket name is not valid") as raised:
        list(S3Store("In_Valid!").list())
    assert "lower-case" in raised.value.hint


@pytest.mark.parametrize("endpoint", ["localhost:9000", "http://local host/"])
def test_an_endpoint_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    with pytest.raises(StorageUnavailable, match="must begin with http:// or https://") as raised:
        S3Store("bucket", "x")
    assert (raised.value.operation, raised.value.key) == ("connect", "s3://bucket/x/")


@pytest.mark.parametrize("key", ["a", _UUID_KEY])
def test_what_comes_between_the_look_and_the_delete_survives(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = MemoryS3(buckets={"bucket": {}})

    def send(operation: str, execute: Callable[[], Answer]) -> Answer:
        there = server.there("bucket", key)
        if operation == "delete_object" and there is not None and there.body == b"old":
            server.put("producer", "bucket", key, b"new")
        return execute()

    client = MemoryClient(server, "worker", send)
    clients = S3Clients(patient=client, once=client)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr("storage.s3.connect", lambda _url: clients)
    store = S3Store("bucket")
    assert store.delete(store.write(key, b"old")) is Deletion.CHANGED
    assert store.read(key)[0] == b"new"
