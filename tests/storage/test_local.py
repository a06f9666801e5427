"""What only a folder promises."""

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from storage import Deletion, open_store
from storage.errors import AccessDenied, ObjectChanged, ObjectMissing, StorageUnavailable
from storage.local import LOCK_NAME, LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Return a store in a folder that exists."""
    root = tmp_path / "root"
    root.mkdir()
    return LocalStore(root)


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://{}/", "{}/"])
def test_a_path_and_its_url_open_the_same_store(tmp_path: Path, form: str) -> None:
    assert open_store(form.format(tmp_path)).url == f"file://{tmp_path}/"


def test_the_url_opens_the_same_store_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "50%20 done")
    store.write("a", b"x")
    assert open_store(store.url).read("a")[0] == b"x"


@pytest.mark.parametrize("url", ["ftp://host/x", "s3://", "file://host/x"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no store"):
        open_store(url)


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "/etc/passwd", "a//b", "", ".", "a\0b", "a/"])
@pytest.mark.parametrize("operation", ["head", "read", "write", "create"])
def test_no_key_leaves_the_root(store: LocalStore, key: str, operation: str) -> None:
    (store._root.parent / "outside").write_bytes(b"secret")
    arguments: tuple[Any, ...] = (b"x",) if operation in {"write", "create"} else ()
    with pytest.raises(AccessDenied):
        getattr(store, operation)(key, *arguments)
    assert (store._root.parent / "outside").read_bytes() == b"secret"


def test_no_prefix_leaves_the_root(store: LocalStore) -> None:
    (store._root.parent / "outside").write_bytes(b"secret")
    with pytest.raises(AccessDenied):
        list(store.list("../"))


def test_hidden_files_and_checksums_are_not_listed(store: LocalStore) -> None:
    for name in ("part-0.parquet", ".part-0.parquet.crc", "part-0.crc", "._SUCCESS.crc", LOCK_NAME, ".winnow-1.tmp"):
        (store._root / name).write_bytes(b"x")
    assert [info.key for info in store.list()] == ["part-0.parquet"]


def test_a_writer_in_a_hidden_folder_is_seen(store: LocalStore) -> None:
    (store._root / ".spark-staging-1").mkdir()
    (store._root / ".spark-staging-1" / "part-0").write_bytes(b"x")
    assert [info.key for info in store.list()] == [".spark-staging-1/part-0"]


def test_an_unreadable_folder_is_not_taken_for_an_empty_one(store: LocalStore) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    store.write("a/b", b"x")
    (store._root / "a").chmod(0)
    with pytest.raises(AccessDenied):
        list(store.list())
    (store._root / "a").chmod(0o700)


def test_the_same_bytes_written_again_are_another_object(store: LocalStore) -> None:
    first = store.write("_SUCCESS", b"")
    second = store.write("_SUCCESS", b"")
    assert first.etag != second.etag
    assert store.delete(first) is Deletion.CHANGED


def test_the_identity_is_inode_size_and_time(store: LocalStore) -> None:
    info = store.write("a", b"xyz")
    status = (store._root / "a").stat()
    assert info.etag == f"{status.st_ino}-3-{status.st_mtime_ns}"


def test_a_file_written_into_while_it_is_read_is_noticed(store: LocalStore) -> None:
    info = store.write("a", b"one")
    with pytest.raises(ObjectChanged), store.open(info) as file:  # noqa: PT012 - the exit of the context is tested
        assert file.read() == b"one"
        with (store._root / "a").open("ab") as writer:
            writer.write(b" two")


def test_a_file_renamed_over_while_it_is_read_does_not_matter(store: LocalStore) -> None:
    info = store.write("a", b"one")
    with store.open(info) as file:
        store.write("a", b"two")
        assert file.read() == b"one"


def test_a_failed_write_leaves_nothing(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        store.write("a", tmp_path / "absent")
    assert list(store._root.iterdir()) == []


def test_deleting_removes_checksums_and_empty_folders_but_never_the_root(store: LocalStore) -> None:
    info = store.write("day/dt=1/part-0.parquet", b"x")
    (store._root / "day" / "dt=1" / ".part-0.parquet.crc").write_bytes(b"x")
    other = store.write("day/other", b"x")
    assert store.delete(info) is Deletion.DELETED
    assert not (store._root / "day" / "dt=1").exists()
    assert store.delete(other) is Deletion.DELETED
    assert [path.name for path in store._root.iterdir()] == [LOCK_NAME]


def test_a_folder_with_something_unknown_in_it_stays(store: LocalStore) -> None:
    info = store.write("day/part-0.parquet", b"x")
    (store._root / "day" / ".hidden").write_bytes(b"x")
    store.delete(info)
    assert (store._root / "day" / ".hidden").exists()


def test_replace_waits_for_the_lock(store: LocalStore) -> None:
    info = store.create("a", b"1")
    with (store._root / LOCK_NAME).open("ab") as lock, ThreadPoolExecutor(1) as pool:
        fcntl.flock(lock, fcntl.LOCK_EX)
        replaced = pool.submit(store.replace, "a", b"2", info)
        with pytest.raises(TimeoutError):
            replaced.result(timeout=0.2)
        fcntl.flock(lock, fcntl.LOCK_UN)
        replaced.result(timeout=5)
    assert store.read("a")[0] == b"2"


def test_a_folder_is_no_object(store: LocalStore) -> None:
    store.write("a/b", b"x")
    with pytest.raises(ObjectMissing):
        store.head("a")
    with pytest.raises(ObjectMissing):
        store.read("a")


@pytest.mark.parametrize("operation", ["write", "create"])
@pytest.mark.parametrize("key", ["file/b", "file/b/c", "folder"])
def test_what_is_in_the_way_of_a_write_is_a_fault_of_the_store(store: LocalStore, operation: str, key: str) -> None:
    store.write("file", b"x")
    store.write("folder/a", b"x")
    before = list(store.list())
    with pytest.raises(StorageUnavailable, match=r"the folder cannot be made|a folder is in the way"):
        getattr(store, operation)(key, b"y")
    assert list(store.list()) == before


def test_a_file_with_the_longest_name_is_deleted_too(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    name = "part-" + "x" * 242 + ".parquet"
    (tmp_path / name).write_bytes(b"data")
    assert store.delete(store.head(name)) is Deletion.DELETED
    assert list(store.list()) == []
