"""Drops put aside, and let go."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import ObjectStore, open_store
from storage.drops import Snapshot
from storage.errors import CorruptObject
from storage.keys import quarantine_key
from storage.quarantine import Quarantined, is_quarantined, put_aside, read_all, release
from tests.contracts.written_drops import only_snapshot, write_drop

_NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Return an empty store of each kind."""
    return open_store(str(tmp_path / "root") if request.param == "local" else request.getfixturevalue("s3_root"))


@pytest.fixture
def seen(tmp_path: Path) -> Snapshot:
    """Return a drop."""
    drops = open_store(str(tmp_path / "drops"))
    write_drop(drops, "x/")
    return only_snapshot(drops)


def _put_aside(store: ObjectStore, seen: Snapshot, message: str = "no label", hours: int = 0) -> Quarantined:
    found_at = _NOON + timedelta(hours=hours)
    return put_aside(store, "p", seen, error="MissingLabel", message=message, found_at=found_at)


def test_a_drop_put_aside_is_found_with_its_reason(store: ObjectStore, seen: Snapshot) -> None:
    assert not is_quarantined(store, "p", seen.drop_id)
    record = _put_aside(store, seen)
    assert is_quarantined(store, "p", seen.drop_id)
    assert read_all(store, "p") == [record]
    assert record == Quarantined(seen.url, "MissingLabel", "no label", _NOON, seen)
    assert record.drop_id == seen.drop_id


def test_the_first_reason_is_kept(store: ObjectStore, seen: Snapshot) -> None:
    first = _put_aside(store, seen)
    assert _put_aside(store, seen, "again", 1) == first
    assert read_all(store, "p") == [first]


def test_a_released_drop_is_no_longer_aside(store: ObjectStore, seen: Snapshot) -> None:
    _put_aside(store, seen)
    assert release(store, "p", seen.drop_id) is True
    assert not is_quarantined(store, "p", seen.drop_id)
    assert read_all(store, "p") == []
    assert release(store, "p", seen.drop_id) is False


def test_a_released_drop_can_be_put_aside_again(store: ObjectStore, seen: Snapshot) -> None:
    _put_aside(store, seen)
    release(store, "p", seen.drop_id)
    again = _put_aside(store, seen, "still no label", 1)
    assert read_all(store, "p") == [again]


def test_problems_have_their_own_quarantine(store: ObjectStore, seen: Snapshot) -> None:
    _put_aside(store, seen)
    assert not is_quarantined(store, "q", seen.drop_id)
    assert release(store, "q", seen.drop_id) is False


def test_the_newest_comes_first(store: ObjectStore, seen: Snapshot) -> None:
    old = _put_aside(store, seen)
    new = _put_aside(store, Snapshot(seen.url, seen.prefix, seen.marker, ()), hours=1)
    assert read_all(store, "p") == [new, old]


def test_a_record_that_cannot_be_read_is_reported(store: ObjectStore) -> None:
    store.write(quarantine_key("p", "d"), b"{}")
    with pytest.raises(CorruptObject, match="not a record"):
        is_quarantined(store, "p", "d")


def test_a_record_survives_json(seen: Snapshot) -> None:
    record = Quarantined(seen.url, "X", "y", _NOON, seen, is_released=True)
    assert Quarantined.from_json(record.to_json()) == record
