"""The trash: consumed inputs stay so many days, come back on demand, and go by the day in their name."""

from datetime import timedelta
from pathlib import Path

import pytest

from storage import ObjectStore, open_store
from storage.commits import Commit, finish
from storage.drops import snapshot_at
from storage.errors import ObjectExists, ObjectMissing
from storage.keys import MARKER, new_nonce
from storage.trash import copy_to_trash, empty_trash, restore
from tests.contracts.written_drops import NOON, PARTS, only_snapshot, write_drop


@pytest.fixture(params=["local", "s3"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[ObjectStore, ObjectStore]:
    """Return empty stores for results and for drops."""
    root = str(tmp_path / "root") if request.param == "local" else request.getfixturevalue("s3_root")
    return open_store(f"{root}/results"), open_store(f"{root}/drops")


def committed(drops: ObjectStore, days: int = 7) -> Commit:
    write_drop(drops, "x/")
    seen = only_snapshot(drops)
    attempt = f"p/runs/r1/attempt-1-{new_nonce()}/"
    return Commit("r1", seen.drop_id, "p", attempt, NOON, {}, seen, retention_days=days)


def keys(store: ObjectStore, prefix: str) -> list[str]:
    return [info.key for info in store.list(prefix)]


def test_consumed_inputs_lie_in_the_trash_until_a_day_and_come_back(stores: tuple[ObjectStore, ObjectStore]) -> None:
    results, drops = stores
    standing = committed(drops)
    finished = finish(results, drops, standing)
    assert {*finished.deleted} >= {f"x/{part}" for part in PARTS}
    folder = f"p/trash/until=2026-02-08/{standing.attempt.removeprefix('p/runs/')}"
    assert keys(results, "p/trash/") == sorted(folder + name for name in (*PARTS, MARKER))
    assert restore(results, drops, standing) == [f"x/{name}" for name in (*PARTS, MARKER)]
    back = snapshot_at(drops, "x/")
    assert [part.size for part in back.parts] == [part.size for part in standing.consumed.parts]
    assert drops.read(f"x/{PARTS[0]}")[0] == f"data of {PARTS[0]}".encode()


def test_a_copy_that_was_interrupted_goes_on(stores: tuple[ObjectStore, ObjectStore]) -> None:
    results, drops = stores
    standing = committed(drops)
    copy_to_trash(results, drops, standing)
    before = list(results.list("p/trash/"))
    drops.delete(standing.consumed.parts[0])
    finish(results, drops, standing)
    assert list(results.list("p/trash/")) == before


def test_what_the_producer_replaced_is_not_copied(stores: tuple[ObjectStore, ObjectStore]) -> None:
    results, drops = stores
    standing = committed(drops)
    drops.write(f"x/{PARTS[1]}", b"newer")
    finish(results, drops, standing)
    assert drops.read(f"x/{PARTS[1]}")[0] == b"newer"
    assert not any(PARTS[1] in key for key in keys(results, "p/trash/"))


def test_nothing_comes_back_over_something_else_or_in_part(stores: tuple[ObjectStore, ObjectStore]) -> None:
    results, drops = stores
    standing = committed(drops)
    finish(results, drops, standing)
    drops.write(f"x/{PARTS[2]}", b"in the way")
    with pytest.raises(ObjectExists, match="another object is there"):
        restore(results, drops, standing)
    drops.delete(drops.head(f"x/{PARTS[2]}"))
    results.delete(results.head(keys(results, "p/trash/")[1]))
    with pytest.raises(ObjectMissing, match="not in the trash"):
        restore(results, drops, standing)
    assert {key for key in keys(drops, "x/") if "part-" in key} == set()


def test_without_retention_there_is_no_trash(stores: tuple[ObjectStore, ObjectStore]) -> None:
    results, drops = stores
    finish(results, drops, committed(drops, days=0))
    assert keys(results, "p/trash/") == []


def test_the_trash_is_emptied_by_the_day(stores: tuple[ObjectStore, ObjectStore]) -> None:
    results, drops = stores
    finish(results, drops, committed(drops))
    assert empty_trash(results, "p", NOON + timedelta(days=7)) == 0
    assert empty_trash(results, "q", NOON + timedelta(days=8)) == 0
    assert empty_trash(results, "p", NOON + timedelta(days=8)) == len(PARTS) + 1
    assert keys(results, "p/trash/") == []
