"""The contract of storage/store.py, promise by promise, against every store."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from storage import Deletion, ObjectStore
from storage.errors import ObjectChanged, ObjectExists, ObjectMissing, StorageError

N_RACERS = 16
UNIQUE = "part-0-0f7c0e2c-1f0e-4c52-9d5f-0123456789ab"  # only such keys are deleted on every server


def test_the_url_ends_in_a_slash(store: ObjectStore) -> None:
    assert store.url.endswith("/root/")


def test_an_empty_store_lists_nothing(store: ObjectStore) -> None:
    assert list(store.list()) == []


def test_keys_are_listed_in_key_order_and_relative_to_the_root(store: ObjectStore) -> None:
    keys = ["a-b", "a/b", "a.b", "a/dt=2026-01-01/x", "b", "a/ü b+%20"]
    for key in keys:
        store.write(key, b"x")
    assert [info.key for info in store.list()] == sorted(keys)


@pytest.mark.parametrize(
    ("prefix", "expected"), [("a/", ["a/1", "a/2"]), ("a", ["a/1", "a/2", "ab"]), ("a/2", ["a/2"]), ("c/", [])]
)
def test_a_prefix_is_a_prefix_of_text(store: ObjectStore, prefix: str, expected: list[str]) -> None:
    for key in ("a/1", "a/2", "ab", "b"):
        store.write(key, b"x")
    assert [info.key for info in store.list(prefix)] == expected


def test_list_head_and_read_name_one_identity(store: ObjectStore) -> None:
    written = store.write("a", b"hello")
    (listed,) = store.list()
    body, read = store.read("a")
    assert body == b"hello"
    assert listed.size == 5
    assert listed.modified.utcoffset() is not None
    for other in (written, read, store.head("a")):
        assert replace(other, modified=listed.modified) == listed


def test_created_and_replaced_objects_have_the_identity_that_is_listed(safe_store: ObjectStore) -> None:
    created = safe_store.create("a", b"one")
    (listed,) = safe_store.list()
    assert replace(created, modified=listed.modified) == listed
    replaced = safe_store.replace("a", b"two", created)
    (listed,) = safe_store.list()
    assert replace(replaced, modified=listed.modified) == listed


@pytest.mark.parametrize("look", ["head", "read"])
def test_an_absent_object_is_missing(store: ObjectStore, look: str) -> None:
    with pytest.raises(ObjectMissing) as raised:
        getattr(store, look)("absent")
    assert raised.value.operation == look
    assert raised.value.key == store.url + "absent"
    assert raised.value.__cause__ is not None


def test_a_file_is_written_whole(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 40_000)  # more than one piece of a multipart upload
    info = store.write("big", source)
    assert info.size == source.stat().st_size
    with store.open(info) as file:
        file.seek(-3, 2)
        assert file.read() == b"\xfd\xfe\xff"
        file.seek(0)
        assert file.read() == source.read_bytes()
        assert file.fileno() >= 0


def test_an_empty_object_can_be_opened(store: ObjectStore) -> None:
    store.write("empty", b"")
    (info,) = store.list()
    with store.open(info) as file:
        assert file.read() == b""


def test_a_replaced_object_is_never_read_as_the_old_one(store: ObjectStore) -> None:
    old = store.write("a", b"old content")
    store.write("a", b"new content")
    if old.version is not None:
        with store.open(old) as file:
            assert file.read() == b"old content"
        return
    with pytest.raises(ObjectChanged), store.open(old) as file:
        file.read()


def test_an_object_that_is_gone_cannot_be_opened(store: ObjectStore) -> None:
    old = store.write(UNIQUE, b"old")
    store.delete(old)
    with pytest.raises(ObjectMissing), store.open(old) as file:
        file.read()


def test_create_keeps_what_is_there(safe_store: ObjectStore) -> None:
    safe_store.create("a", b"first")
    with pytest.raises(ObjectExists):
        safe_store.create("a", b"second")
    assert safe_store.read("a")[0] == b"first"


def test_creating_the_same_bytes_again_is_a_success(safe_store: ObjectStore) -> None:
    first = safe_store.create("a", b"mine")
    assert safe_store.create("a", b"mine").etag == first.etag


def test_replace_needs_the_version_that_is_there(safe_store: ObjectStore) -> None:
    first = safe_store.create("a", b"1")
    second = safe_store.replace("a", b"2", first)
    with pytest.raises(ObjectChanged):
        safe_store.replace("a", b"3", first)
    safe_store.replace("a", b"4", second)
    assert safe_store.read("a")[0] == b"4"


def test_an_absent_object_cannot_be_replaced(safe_store: ObjectStore) -> None:
    first = safe_store.create(UNIQUE, b"1")
    safe_store.delete(first)
    with pytest.raises(ObjectChanged):
        safe_store.replace(UNIQUE, b"2", first)
    assert list(safe_store.list()) == []


def test_exactly_the_named_version_is_deleted(store: ObjectStore) -> None:
    info = store.write(UNIQUE, b"1")
    store.write("b", b"1")
    assert store.delete(info) is Deletion.DELETED
    assert [left.key for left in store.list()] == ["b"]


def test_deleting_twice_finds_it_gone(store: ObjectStore) -> None:
    info = store.write(UNIQUE, b"1")
    store.delete(info)
    assert store.delete(info) is Deletion.GONE


def test_the_successor_of_a_deleted_version_survives(store: ObjectStore) -> None:
    old = store.write(UNIQUE, b"old")
    store.write(UNIQUE, b"new")
    assert store.delete(old) is (Deletion.CHANGED if old.version is None else Deletion.DELETED)
    assert store.read(UNIQUE)[0] == b"new"


def test_of_many_creators_exactly_one_wins(safe_store: ObjectStore) -> None:
    for lap in range(3):
        winners = _race(lambda racer, lap=lap: safe_store.create(f"race/{lap}", b"%d" % racer))
        assert len(winners) == 1
        assert safe_store.read(f"race/{lap}")[0] == b"%d" % winners[0]


def test_of_many_replacers_exactly_one_wins(safe_store: ObjectStore) -> None:
    info = safe_store.create("a", b"start")
    winners = _race(lambda racer: safe_store.replace("a", b"%d" % racer, info))
    assert len(winners) == 1
    assert safe_store.read("a")[0] == b"%d" % winners[0]


def test_no_increment_of_a_contended_counter_is_lost(safe_store: ObjectStore) -> None:
    safe_store.create("count", b"0 start")

    def increment(racer: int) -> None:
        for _attempt in range(200):
            body, info = safe_store.read("count")
            try:
                safe_store.replace("count", b"%d by %d" % (int(body.split()[0]) + 1, racer), info)
            except ObjectChanged:
                continue
            return
        raise AssertionError("never got a turn")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(12)))
    assert safe_store.read("count")[0].split()[0] == b"12"


def _race(run: Callable[[int], object]) -> list[int]:
    """Start all racers at once; return those that did not fail."""
    start = threading.Barrier(N_RACERS)

    def compete(racer: int) -> bool:
        start.wait()
        try:
            run(racer)
        except StorageError:
            return False
        return True

    with ThreadPoolExecutor(N_RACERS) as pool:
        return [racer for racer, won in enumerate(pool.map(compete, range(N_RACERS))) if won]
