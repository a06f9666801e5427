"""Drops of writers without a marker: a manifest that names every file, or a folder in which nothing changes."""

import json
from pathlib import Path

import pytest

from storage import ObjectStore, open_store
from storage.commits import finish, is_done
from storage.committed import Commit
from storage.drops import Declaration, Snapshot, find_drops, snapshot, snapshot_at
from storage.errors import DropIncomplete
from storage.keys import MANIFEST, MARKER, new_nonce
from tests.contracts.written_drops import NOON, OTHER_UUID, PARTS, write_drop


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Return an empty store."""
    return open_store(str(tmp_path / "root") if request.param == "local" else request.getfixturevalue("s3_root"))


def sizes() -> dict[str, int]:
    return {part: len(f"data of {part}") for part in PARTS}


def write_with_manifest(store: ObjectStore, manifest: object, folder: str = "x/") -> None:
    for part in PARTS:
        store.write(folder + part, f"data of {part}".encode())
    store.write(folder + MANIFEST, manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode())


def only(store: ObjectStore, declaration: Declaration) -> Snapshot:
    (folder,) = find_drops(store, declaration)
    return snapshot(folder)


FORMS = {
    "names": {"files": list(PARTS)},
    "sizes": {"files": [{"name": name, "size": size} for name, size in sizes().items()]},
    "paths": {"files": [{"path": f"s3://any-bucket/root/x/{name}"} for name in PARTS]},
    "unload": {
        "entries": [
            {"url": f"s3://b/root/x/{n}", "mandatory": True, "meta": {"content_length": s}} for n, s in sizes().items()
        ]
    },
}


@pytest.mark.parametrize("form", ["names", "sizes"])
def test_a_manifest_in_the_folder_declares_a_drop(store: ObjectStore, form: str) -> None:
    write_with_manifest(store, FORMS[form])
    assert find_drops(store) == []
    seen = only(store, Declaration.MANIFEST)
    assert [part.key for part in seen.parts] == [f"x/{part}" for part in PARTS]
    assert seen.marker.key == f"x/{MANIFEST}"


@pytest.mark.parametrize("form", ["paths", "unload"])
def test_a_manifest_may_name_files_by_their_urls(s3_root: str, form: str) -> None:
    store = open_store(s3_root)
    write_with_manifest(store, FORMS[form])
    assert len(only(store, Declaration.MANIFEST).parts) == len(PARTS)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"", "the manifest is empty"),
        (b"{", "the manifest is not JSON with a list"),
        ({"parts": list(PARTS)}, "the manifest is not JSON with a list"),
        ({"files": [*PARTS, "part-9.parquet"]}, "the marker names part-9.parquet, which is not there"),
        ({"files": [{"name": PARTS[0], "size": 7}, *PARTS[1:]]}, "bytes; the marker says 7"),
        ({"files": list(PARTS[1:])}, f"{PARTS[0]} is there, but the marker does not name it"),
        ({"files": [{"size": 7}]}, "the marker names , which is not there"),
    ],
)
def test_a_folder_that_is_not_as_its_manifest_says_is_waited_for(
    store: ObjectStore, manifest: object, reason: str
) -> None:
    write_with_manifest(store, manifest)
    with pytest.raises(DropIncomplete, match=reason):
        only(store, Declaration.MANIFEST)


def test_a_folder_that_is_quiet_is_a_drop_without_any_marker(store: ObjectStore) -> None:
    for part in PARTS:
        store.write(f"x/{part}", b"data")
    store.write("x/notes.txt", b"no data")
    store.write(f"_hidden/{PARTS[0]}", b"no drop")
    seen = only(store, Declaration.QUIET_PERIOD)
    assert [part.key for part in seen.parts] == [f"x/{part}" for part in PARTS]
    assert seen.marker in seen.parts
    store.write(f"x/part-00009-{PARTS[0][11:]}", b"more")
    assert only(store, Declaration.QUIET_PERIOD).drop_id != seen.drop_id


@pytest.mark.parametrize("name", ["_temporary/0/part-0.parquet", f"part-0-{OTHER_UUID}-c000.parquet"])
def test_a_quiet_folder_is_held_to_the_other_rules(store: ObjectStore, name: str) -> None:
    for part in (*PARTS, name):
        store.write(f"x/{part}", b"data")
    with pytest.raises(DropIncomplete):
        only(store, Declaration.QUIET_PERIOD)


@pytest.mark.parametrize("declaration", Declaration)
def test_a_drop_is_finished_however_it_was_declared(
    store: ObjectStore, tmp_path: Path, declaration: Declaration
) -> None:
    results = open_store(str(tmp_path / "results"))
    if declaration is Declaration.MANIFEST:
        write_with_manifest(store, FORMS["sizes"])
    else:
        write_drop(store, "x/")
    seen = snapshot_at(store, "x/", declaration)
    attempt = f"p/runs/r1/attempt-1-{new_nonce()}/"
    finished = finish(results, store, Commit("r1", seen.drop_id, "p", attempt, NOON, {}, seen))
    assert {*finished.deleted} >= {f"x/{part}" for part in PARTS}
    assert (finished.gone, finished.changed, finished.denied) == ((), (), ())
    left = [info.key for info in store.list()]
    expected = {Declaration.MANIFEST: [], Declaration.QUIET_PERIOD: [f"x/{MARKER}"]}
    assert left == expected.get(declaration, [*finished.left])
    assert is_done(results, "p", seen.drop_id)
