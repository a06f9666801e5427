"""Who works on a drop: one at a time, as long as the owner lives."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage import ObjectStore, open_store
from storage.claims import Claim, Claims
from storage.errors import ClaimLost, CorruptObject, StorageUnavailable
from storage.keys import claim_key
from storage.store import ObjectInfo

TTL = 60.0


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.seconds


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Return an empty store of each kind."""
    return open_store(str(tmp_path) if request.param == "local" else request.getfixturevalue("s3_root"))


@pytest.fixture
def clock() -> Clock:
    """Return the clock of all workers of a test."""
    return Clock()


@pytest.fixture
def worker(store: ObjectStore, clock: Clock) -> Callable[[str], Claims]:
    """Return a maker of workers."""
    return lambda name: Claims(store, "p", name, TTL, clock)


def _taken(claims: Claims) -> Claim:
    claim = claims.take("d")
    assert claim is not None
    return claim


def test_a_free_drop_is_taken(worker: Callable[[str], Claims], store: ObjectStore) -> None:
    claim = _taken(worker("one"))
    assert claim.fence == 1
    cell = json.loads(store.read(claim_key("p", "d"))[0])
    assert (cell["owner"], cell["fence"], cell["state"]) == ("one", 1, "held")


def test_of_many_workers_exactly_one_takes_a_drop(worker: Callable[[str], Claims]) -> None:
    start = threading.Barrier(16)

    def take(name: int) -> Claim | None:
        start.wait()
        return worker(str(name)).take("d")

    with ThreadPoolExecutor(16) as pool:
        claims = [claim for claim in pool.map(take, range(16)) if claim]
    assert len(claims) == 1


def test_a_held_drop_is_not_taken(worker: Callable[[str], Claims]) -> None:
    _taken(worker("one"))
    assert worker("two").take("d") is None


def test_a_silent_claim_is_stolen_after_a_whole_ttl_of_watching(worker: Callable[[str], Claims], clock: Clock) -> None:
    _taken(worker("one"))
    observer = worker("two")
    clock.seconds += 10 * TTL  # nobody has watched it for that long
    assert observer.take("d") is None
    clock.seconds += TTL - 1
    assert observer.take("d") is None
    clock.seconds += 1
    assert _taken(observer).fence == 2


def test_a_renewed_claim_is_not_stolen(worker: Callable[[str], Claims], clock: Clock) -> None:
    claim, observer = _taken(worker("one")), worker("two")
    for _ in range(5):
        assert observer.take("d") is None
        clock.seconds += TTL
        claim.renew()


def test_of_many_thieves_exactly_one_steals(worker: Callable[[str], Claims], clock: Clock) -> None:
    _taken(worker("one"))
    thieves = [worker(str(name)) for name in range(16)]
    assert [thief.take("d") for thief in thieves] == [None] * 16
    clock.seconds += TTL
    start = threading.Barrier(16)

    def steal(thief: Claims) -> Claim | None:
        start.wait()
        return thief.take("d")

    with ThreadPoolExecutor(16) as pool:
        stolen = [claim for claim in pool.map(steal, thieves) if claim]
    assert [claim.fence for claim in stolen] == [2]


def test_a_paused_owner_notices_the_theft(worker: Callable[[str], Claims], clock: Clock) -> None:
    claim, thief = _taken(worker("one")), worker("two")
    thief.take("d")
    clock.seconds += TTL
    stolen = _taken(thief)
    with pytest.raises(ClaimLost):
        claim.renew()
    with pytest.raises(ClaimLost):
        claim.release()
    stolen.renew()


def test_a_released_drop_is_taken_at_once_with_a_higher_fence(
    worker: Callable[[str], Claims], store: ObjectStore
) -> None:
    claim = _taken(worker("one"))
    claim.release()
    assert json.loads(store.read(claim_key("p", "d"))[0])["state"] == "released"
    assert _taken(worker("two")).fence == 2


def test_claims_on_different_drops_and_problems_do_not_meet(
    worker: Callable[[str], Claims], store: ObjectStore, clock: Clock
) -> None:
    _taken(worker("one"))
    assert worker("two").take("e") is not None
    assert Claims(store, "q", "two", TTL, clock).take("d") is not None


def test_a_cell_that_no_worker_wrote_is_reported(worker: Callable[[str], Claims], store: ObjectStore) -> None:
    store.write(claim_key("p", "d"), b"[]")
    with pytest.raises(CorruptObject):
        worker("one").take("d")


def test_a_claim_kept_alive_is_renewed(store: ObjectStore, clock: Clock) -> None:
    claim = _taken(Claims(store, "p", "one", 0.09, clock))
    lost = threading.Event()
    with claim.kept_alive(lost.set):
        assert not lost.wait(0.3)
    assert json.loads(store.read(claim_key("p", "d"))[0])["beat"] >= 2
    claim.release()


def test_the_loss_of_a_claim_kept_alive_is_told_once(store: ObjectStore, clock: Clock) -> None:
    claims = Claims(store, "p", "one", 0.09, clock)
    claim = _taken(claims)
    _steal(store)
    told: list[str] = []
    lost = threading.Event()

    def on_lost() -> None:
        told.append("lost")
        lost.set()

    with claim.kept_alive(on_lost):
        assert lost.wait(10)
        threading.Event().wait(0.1)
    assert told == ["lost"]


def test_a_store_that_fails_for_a_whole_ttl_loses_the_claim(tmp_path: Path, clock: Clock) -> None:
    store = FailingStore(open_store(str(tmp_path)))
    claim = _taken(Claims(store, "p", "one", 0.03, clock))
    store.is_down = True
    lost = threading.Event()
    with claim.kept_alive(lost.set):
        assert lost.wait(10)
    assert store.n_failures == 3


def _steal(store: ObjectStore) -> None:
    key = claim_key("p", "d")
    store.replace(key, b'{"fence": 9, "state": "held"}', store.head(key))


class FailingStore:
    """A store whose replace fails while it is down."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.is_down = False
        self.n_failures = 0

    def __getattr__(self, name: str) -> object:
        """Do the rest as the store does."""
        return getattr(self._store, name)

    def replace(self, key: str, body: bytes, expected: ObjectInfo) -> ObjectInfo:
        """Fail, or pass it on."""
        if self.is_down:
            self.n_failures += 1
            raise StorageUnavailable("replace", key, "it is down")
        return self._store.replace(key, body, expected)
