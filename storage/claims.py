"""Claims: one cell per drop says who works on it, so that two workers do not train on the same drop.

A claim only saves work. Safety comes from content-addressed runs and conditions on reads and deletes; a worker whose
claim was stolen does no harm. So no clock is shared: an observer may steal a claim after it has itself seen the cell
unchanged for a whole ttl. The cell is never deleted, so its fence only grows. Source: docs/protocol.md, P3.
"""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from storage.errors import ClaimLost, CorruptObject, ObjectChanged, ObjectExists, ObjectMissing, StorageError
from storage.keys import claim_key, new_nonce
from storage.store import ObjectInfo, ObjectStore

HELD = "held"
RELEASED = "released"
BEATS_PER_TTL = 3


class Claim:
    """The right to work on a drop, as long as it is renewed. Made by `Claims.take`.

    Attributes:
        drop_id: on what.
        fence: grows with every new owner; later attempts carry a higher one.
    """

    def __init__(
        self, store: ObjectStore, cell: ObjectInfo, *, drop_id: str, owner: str, fence: int, ttl_seconds: float
    ) -> None:
        self.drop_id = drop_id
        self.fence = fence
        self._store = store
        self._cell = cell
        self._owner = owner
        self._ttl_seconds = ttl_seconds
        self._beat = 0
        self._lock = threading.Lock()  # the heartbeat and the worker may both write the cell

    def renew(self) -> None:
        """Say that we are alive.

        Raises:
            ClaimLost: somebody else owns the drop now.
        """
        self._write(HELD)

    def release(self) -> None:
        """Give the drop free, so that the next worker need not wait for a ttl.

        Raises:
            ClaimLost: somebody else owns the drop now.
        """
        self._write(RELEASED)

    @contextmanager
    def kept_alive(self, on_lost: Callable[[], None]) -> Generator[None]:
        """Renew the claim in the background while the context lasts.

        Args:
            on_lost: called once, in the background thread, when the claim is lost or the store has failed for a ttl.
        """
        ended = threading.Event()
        name = f"claim-{self.drop_id[:8]}"
        heart = threading.Thread(target=self._keep_alive, args=(ended, on_lost), name=name, daemon=True)
        heart.start()
        try:
            yield
        finally:
            ended.set()
            heart.join()

    def _keep_alive(self, ended: threading.Event, on_lost: Callable[[], None]) -> None:
        missed = 0
        while not ended.wait(self._ttl_seconds / BEATS_PER_TTL):
            try:
                self.renew()
                missed = 0
            except ClaimLost:
                return on_lost()
            except StorageError:
                missed += 1
                if missed == BEATS_PER_TTL:  # others have seen no beat for a ttl: they may steal it now
                    return on_lost()
        return None

    def _write(self, state: str) -> None:
        with self._lock:
            body = _cell(self._owner, self.fence, self._beat + 1, state)
            try:
                self._cell = self._store.replace(self._cell.key, body, self._cell)
            except (ObjectChanged, ObjectMissing) as error:
                found = "another worker owns the drop now"
                raise ClaimLost("renew", self._store.url + self._cell.key, found) from error
            self._beat += 1


class Claims:
    """The claims of one worker on the drops of one problem.

    Args:
        store: the results store.
        problem: its name.
        owner: who we are, for people; need not be unique.
        ttl_seconds: after how long without a beat a claim may be stolen.
        clock: a monotonic clock in seconds; only differences count.
    """

    def __init__(
        self, store: ObjectStore, problem: str, owner: str, ttl_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._problem = problem
        self._owner = owner
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._seen: dict[str, tuple[str, float]] = {}  # drop_id -> the etag of its cell, since when we see it
        self._alive: set[str] = set()  # drops whose holder has beaten before our eyes

    def take(self, drop_id: str) -> Claim | None:
        """Claim a drop if it is free, released, or silent for a ttl.

        Args:
            drop_id: on what.

        Returns:
            The claim, or None while somebody else holds it.
        """
        key = claim_key(self._problem, drop_id)
        try:
            cell = self._store.create(key, _cell(self._owner, 1, 0, HELD))
        except ObjectExists:
            return self._take_over(key, drop_id)
        return self._claim(cell, drop_id, 1)

    def look_again_seconds(self, drop_id: str) -> float | None:
        """Return in how many seconds a drop that was held elsewhere may turn out to be free, or its holder alive.

        Args:
            drop_id: one that `take` has just refused.

        Returns:
            At most a ttl; None where the holder is known to be alive, or was faster than we.
        """
        if drop_id in self._alive or drop_id not in self._seen:
            return None
        left = self._ttl_seconds - (self._clock() - self._seen[drop_id][1])
        return min(max(left, 0.0), self._ttl_seconds / BEATS_PER_TTL)

    def _take_over(self, key: str, drop_id: str) -> Claim | None:
        try:
            body, there = self._store.read(key)
            fence, state = _parse(body, self._store.url + key)
            if state != RELEASED and not self._is_silent(drop_id, there.etag):
                return None
            cell = self._store.replace(key, _cell(self._owner, fence + 1, 0, HELD), there)
        except (ObjectChanged, ObjectMissing):  # another observer was faster, or an operator removed the cell
            return None
        return self._claim(cell, drop_id, fence + 1)

    def _is_silent(self, drop_id: str, etag: str) -> bool:
        """Tell whether we have seen this very cell for a whole ttl by our own clock."""
        now = self._clock()
        known, since = self._seen.get(drop_id, ("", now))
        if known != etag:
            if known:
                self._alive.add(drop_id)
            self._seen[drop_id] = (etag, now)
            return False
        return now - since >= self._ttl_seconds

    def _claim(self, cell: ObjectInfo, drop_id: str, fence: int) -> Claim:
        self._seen.pop(drop_id, None)
        self._alive.discard(drop_id)
        return Claim(self._store, cell, drop_id=drop_id, owner=self._owner, fence=fence, ttl_seconds=self._ttl_seconds)


def _cell(owner: str, fence: int, beat: int, state: str) -> bytes:
    """Return the content of a cell; the nonce makes every write of it unlike every other."""
    return json.dumps({"owner": owner, "fence": fence, "beat": beat, "state": state, "nonce": new_nonce()}).encode()


def _parse(body: bytes, url: str) -> tuple[int, str]:
    try:
        values: dict[str, Any] = json.loads(body)
        return int(values["fence"]), str(values["state"])
    except (ValueError, KeyError, TypeError) as error:
        hint = "Remove the object if no worker is running"
        raise CorruptObject("claim", url, "the claim is not what a worker writes", hint) from error
