"""When a folder is a drop, and what it is called."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import ObjectInfo, ObjectStore, open_store
from storage.drops import (
    Declaration,
    SettleWindow,
    Snapshot,
    as_found,
    find_drops,
    folder_at,
    snapshot,
    snapshot_at,
)
from storage.errors import DropIncomplete
from storage.keys import MARKER
from tests.contracts.written_drops import OTHER_UUID, PARTS, UUID, only_snapshot, write_drop


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """Return an empty folder."""
    return open_store(str(tmp_path))


def test_a_folder_with_its_marker_is_a_drop(store: ObjectStore) -> None:
    write_drop(store, "day=1/")
    seen = only_snapshot(store)
    assert seen.prefix == "day=1/"
    assert seen.url == store.url + "day=1/"
    assert seen.store_url == store.url
    assert [part.key for part in seen.parts] == [f"day=1/{part}" for part in PARTS]


def test_a_drop_without_its_marker_is_left_alone(store: ObjectStore) -> None:
    write_drop(store, "day=1/")
    store.delete(store.head(f"day=1/{MARKER}"))
    assert find_drops(store) == []


def test_the_root_of_a_store_can_be_a_drop(store: ObjectStore) -> None:
    write_drop(store, "")
    assert only_snapshot(store).prefix == ""
    assert only_snapshot(store).url == store.url


@pytest.mark.parametrize("name", ["_SUCCESS2", "x_SUCCESS", "_success", "_SUCCESS/x"])
def test_only_the_exact_name_is_a_marker(store: ObjectStore, name: str) -> None:
    store.write(f"day=1/{name}", b"")
    assert find_drops(store) == []


@pytest.mark.parametrize("folder", ["_temporary/0/", ".hidden/", "a/_attempt/"])
def test_a_marker_in_a_hidden_folder_is_none(store: ObjectStore, folder: str) -> None:
    write_drop(store, folder)
    assert find_drops(store) == []


def test_partition_folders_belong_to_the_marker_above_them(store: ObjectStore) -> None:
    partitions = [f"dt=1/{PARTS[0]}", f"_g=2/{PARTS[1]}", f"dt=__HIVE_DEFAULT_PARTITION__/{PARTS[2]}"]
    write_drop(store, "x/", partitions)
    assert {part.key for part in only_snapshot(store).parts} == {f"x/{name}" for name in partitions}


def test_objects_belong_to_the_nearest_marker(store: ObjectStore) -> None:
    write_drop(store, "x/day=1/")
    write_drop(store, "x/")
    outer, inner = find_drops(store)
    assert [outer.prefix, inner.prefix] == ["x/", "x/day=1/"]
    assert [part.key for part in outer.parts] == [f"x/{name}" for name in PARTS]
    assert [part.key for part in inner.parts] == [f"x/day=1/{name}" for name in PARTS]


@pytest.mark.parametrize(
    "name",
    [
        "part-0.csv",
        "_other.parquet",
        ".part-0.parquet",
        "_part-0.parquet",
        "part-0.parquet.tmp",
        "_x/part-0.parquet",
        "notes.txt",
    ],
)
def test_unknown_objects_are_no_parts_and_no_obstacle(store: ObjectStore, name: str) -> None:
    write_drop(store, "x/", [*PARTS, name])
    assert len(only_snapshot(store).parts) == len(PARTS)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("_temporary/0/part-0.parquet", "_temporary"),
        ("__magic_job-1/x", "__magic"),
        (".spark-staging-1/x", "spark-staging"),
        ("dt=1/_temporary/x", "_temporary"),
        ("_delta_log/0.json", "Delta"),
        ("metadata/v1.metadata.json", "Iceberg"),
        ("_started_17", "transaction 17"),
    ],
)
def test_a_writer_at_work_is_waited_for(store: ObjectStore, name: str, reason: str) -> None:
    write_drop(store, "x/", [*PARTS, name])
    with pytest.raises(DropIncomplete, match=reason):
        only_snapshot(store)


@pytest.mark.parametrize("name", ["data.parquet", "PART-0.PARQUET", "part.2.parquet", "dt=1/data_1.Parquet"])
@pytest.mark.parametrize("parts", [PARTS, []], ids=["beside-parts", "alone"])
def test_data_under_another_name_than_a_parts_makes_no_drop(store: ObjectStore, name: str, parts: list[str]) -> None:
    write_drop(store, "x/", [*parts, name])
    with pytest.raises(DropIncomplete, match=rf"{name} is there and is not called part-\*\.parquet: rename it or move"):
        only_snapshot(store)


def test_a_committed_transaction_is_no_obstacle(store: ObjectStore) -> None:
    write_drop(store, "x/", [*PARTS, "_started_17", "_committed_17"])
    assert len(only_snapshot(store).parts) == len(PARTS)


def test_a_part_newer_than_the_marker_is_waited_for(store: ObjectStore, tmp_path: Path) -> None:
    write_drop(store, "x/")
    later = store.head(f"x/{MARKER}").modified + timedelta(seconds=1)
    os.utime(tmp_path / "x" / PARTS[1], (later.timestamp(), later.timestamp()))
    with pytest.raises(DropIncomplete, match=f"{PARTS[1]} is newer than the marker"):
        only_snapshot(store)


def test_parts_of_two_writes_are_waited_for_unless_appending_is_allowed(store: ObjectStore) -> None:
    write_drop(store, "x/", [f"part-0-{UUID}-c000.parquet", f"part-0-{OTHER_UUID}-c000.parquet"])
    (folder,) = find_drops(store)
    with pytest.raises(DropIncomplete, match="2 writes"):
        snapshot(folder)
    assert len(snapshot(folder, allow_append=True).parts) == 2


def test_parts_without_a_write_uuid_are_one_write(store: ObjectStore) -> None:
    write_drop(store, "x/", ["part-0.parquet", "part-1.parquet"])
    assert len(only_snapshot(store).parts) == 2


@pytest.mark.parametrize("form", ["x/{}", "/x/{}", "{}", "file:/{root}x/{}", "file:///{root}x/{}"])
def test_a_marker_that_names_exactly_what_is_there_is_believed(store: ObjectStore, tmp_path: Path, form: str) -> None:
    rooted = open_store(str(tmp_path))
    root = rooted.url.removeprefix("file:///")
    form = form if "{root}" in form or form == "{}" else "/" + root + form.lstrip("/")
    names = [form.format(name, root=root) for name in PARTS]
    write_drop(rooted, "x/", marker=json.dumps({"filenames": names}).encode())
    assert len(only_snapshot(rooted).parts) == len(PARTS)


def test_a_marker_that_names_an_absent_file_is_waited_for(store: ObjectStore) -> None:
    write_drop(store, "x/", marker=json.dumps({"filenames": [*PARTS, "part-9.parquet"]}).encode())
    with pytest.raises(DropIncomplete, match=r"names part-9\.parquet, which is not there"):
        only_snapshot(store)


def test_a_part_that_the_marker_does_not_name_is_waited_for(store: ObjectStore) -> None:
    write_drop(store, "x/", marker=json.dumps({"filenames": PARTS[:2]}).encode())
    with pytest.raises(DropIncomplete, match="does not name it"):
        only_snapshot(store)


def test_a_capped_list_of_names_may_leave_parts_out(store: ObjectStore) -> None:
    parts = [f"part-{i:05}.parquet" for i in range(101)]
    write_drop(store, "x/", parts, marker=json.dumps({"filenames": parts[:100]}).encode())
    assert len(only_snapshot(store).parts) == 101


@pytest.mark.parametrize("body", [b"done", b"[]", b"{}", b'{"filenames": null}', b"\xff"])
def test_another_body_of_a_marker_means_nothing(store: ObjectStore, body: bytes) -> None:
    write_drop(store, "x/", marker=body)
    assert len(only_snapshot(store).parts) == len(PARTS)


def test_a_marker_replaced_after_the_listing_is_waited_for(store: ObjectStore) -> None:
    write_drop(store, "x/", marker=b"one")
    (folder,) = find_drops(store)
    store.write(f"x/{MARKER}", b"two")
    with pytest.raises(DropIncomplete, match="replaced"):
        snapshot(folder)


def test_a_marker_over_nothing_is_a_drop_without_parts(store: ObjectStore) -> None:
    write_drop(store, "x/", [])
    assert only_snapshot(store).parts == ()


def test_an_incomplete_folder_can_still_be_named(store: ObjectStore) -> None:
    write_drop(store, "x/", [*PARTS, "_temporary/x"])
    (folder,) = find_drops(store)
    assert len(as_found(folder).parts) == len(PARTS)


def test_one_folder_can_be_asked_for(store: ObjectStore) -> None:
    write_drop(store, "x/")
    write_drop(store, "y/")
    assert snapshot_at(store, "y/").prefix == "y/"
    with pytest.raises(DropIncomplete, match="there is no _SUCCESS"):
        snapshot_at(store, "z/")
    store.write("y/_temporary/x", b"")
    with pytest.raises(DropIncomplete, match="_temporary"):
        snapshot_at(store, "y/")


def test_a_drop_has_one_name_however_its_store_is_rooted(store: ObjectStore, tmp_path: Path) -> None:
    write_drop(store, "x/")
    rooted_there = open_store(str(tmp_path / "x"))
    assert snapshot_at(rooted_there, "").drop_id == snapshot_at(store, "x/").drop_id


_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_PART = ObjectInfo("x/part-0.parquet", 5, "e1", None, _TIME)
_SEEN = Snapshot("s3://b/x/", "x/", ObjectInfo("x/_SUCCESS", 0, "d41d", None, _TIME), (_PART,))


@pytest.mark.parametrize(
    "other",
    [
        replace(_SEEN, url="s3://c/x/"),
        replace(_SEEN, parts=()),
        replace(_SEEN, parts=(replace(_PART, size=6),)),
        replace(_SEEN, parts=(replace(_PART, etag="e2"),)),
        replace(_SEEN, parts=(replace(_PART, version="v1"),)),
        replace(_SEEN, parts=(replace(_PART, key="x/part-1.parquet"),)),
        replace(_SEEN, marker=replace(_SEEN.marker, modified=_TIME + timedelta(seconds=1))),
        replace(_SEEN, marker=replace(_SEEN.marker, version="v1")),
    ],
)
def test_everything_that_tells_drops_apart_is_in_the_name(other: Snapshot) -> None:
    assert len(_SEEN.drop_id) == 32
    assert other.drop_id != _SEEN.drop_id


def test_the_time_of_a_part_is_not_in_the_name() -> None:
    assert replace(_SEEN, parts=(replace(_PART, modified=_TIME - timedelta(1)),)).drop_id == _SEEN.drop_id


def test_a_snapshot_survives_json() -> None:
    assert Snapshot.from_json(json.loads(json.dumps(_SEEN.to_json()))) == _SEEN


def test_a_drop_settles_after_two_listings_and_the_time_between_them() -> None:
    window = SettleWindow()
    assert window.observe(_SEEN, 100, 60) is False
    assert window.observe(_SEEN, 159, 60) is False
    assert window.observe(_SEEN, 160, 60) is True


def test_one_listing_is_never_enough() -> None:
    window = SettleWindow()
    assert window.observe(_SEEN, 100, 0) is False
    assert window.observe(_SEEN, 100, 0) is True


def test_a_change_starts_the_window_anew() -> None:
    window, changed = SettleWindow(), replace(_SEEN, parts=())
    window.observe(_SEEN, 0, 60)
    assert window.observe(changed, 60, 60) is False
    assert window.observe(changed, 119, 60) is False
    assert window.observe(_SEEN, 120, 60) is False
    assert window.observe(_SEEN, 180, 60) is True


def test_folders_settle_apart() -> None:
    window, other = SettleWindow(), replace(_SEEN, url="s3://b/y/")
    window.observe(_SEEN, 0, 60)
    assert window.observe(other, 60, 60) is False
    assert window.observe(_SEEN, 60, 60) is True


def test_drops_on_s3_are_named_with_their_versions(versioned_s3_root: str) -> None:
    store = open_store(versioned_s3_root)
    write_drop(store, "x/")
    store.write("x/", b"")  # the placeholder that a console makes for a folder
    seen = only_snapshot(store)
    assert len(seen.parts) == len(PARTS)
    assert all(info.version for info in (*seen.parts, seen.marker))


def test_folders_of_tables_may_have_markers_of_their_own(store: ObjectStore) -> None:
    for table in ("events/", "users/"):
        write_drop(store, f"day=1/{table}")
    store.write("day=1/prices.csv", b"k\n1\n")
    store.write("day=1/readme.txt", b"no data")
    assert find_drops(store, holds_tables=True) == []  # its writer has finished two tables, not the drop
    store.write(f"day=1/{MARKER}", b"")
    (folder,) = find_drops(store, holds_tables=True)
    expected = [*(f"day=1/{table}{part}" for table in ("events/", "users/") for part in PARTS), "day=1/prices.csv"]
    assert [part.key for part in snapshot(folder).parts] == sorted(expected)


def test_each_table_is_of_one_write(store: ObjectStore) -> None:
    write_drop(store, "day=1/events/")
    write_drop(store, "day=1/users/", [part.replace(UUID, OTHER_UUID) for part in PARTS])
    store.write(f"day=1/{MARKER}", b"")
    assert len(snapshot_at(store, "day=1/", holds_tables=True).parts) == 2 * len(PARTS)
    store.write("day=1/users/" + PARTS[0], b"of another write")
    store.write(f"day=1/{MARKER}", b"")
    with pytest.raises(DropIncomplete, match="the parts of users come from 2 writes"):
        snapshot_at(store, "day=1/", holds_tables=True)


@pytest.mark.parametrize("name", ["part-0.parquet", "any name.parquet", "x.CSV", "x.csv.gz", "t/dt=1/x.parquet"])
def test_tables_may_be_parquet_or_csv_of_any_name(store: ObjectStore, name: str) -> None:
    write_drop(store, "day=1/", [name])
    assert [part.key for part in snapshot_at(store, "day=1/", holds_tables=True).parts] == [f"day=1/{name}"]


@pytest.mark.parametrize("name", ["_part-0.parquet", ".x.csv", "x.json", "_t/x.csv", "x.parquet.tmp"])
def test_what_is_hidden_or_of_another_kind_is_no_table(store: ObjectStore, name: str) -> None:
    write_drop(store, "day=1/", [name])
    folder = folder_at(store, "day=1/", holds_tables=True)
    assert folder is not None
    assert folder.parts == ()


def test_a_quiet_folder_of_tables_is_one_drop(store: ObjectStore) -> None:
    store.write("day=1/events/part-0.parquet", b"x")
    store.write("day=1/users.csv", b"y")
    (folder,) = find_drops(store, Declaration.QUIET_PERIOD, holds_tables=True)
    assert (folder.prefix, len(folder.parts)) == ("day=1/", 2)
