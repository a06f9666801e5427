"""How a process ends: a flag that everybody looks at, the signals that set it, and a deadline that always holds.

The work is done in a thread of its own and the main thread only waits: Python runs signal handlers in the main thread,
between two of its instructions, and a long kernel in there would hold them up. It looks up from its wait now and then:
a signal that comes to another thread, or in the instant before the wait, does not end it. After a signal the work has
some seconds to notice; then the process ends all the same. That is safe at any moment: the protocol was made for
kill -9.
"""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from types import FrameType
from typing import TypeVar

from jobs.errors import Abandoned
from service.logs import Log
from storage.claims import Claim
from storage.errors import StorageError

GRACE_SECONDS = 8.0
RELEASE_SECONDS = 1.0
LOOK_SECONDS = 0.5

ResultT = TypeVar("ResultT")


class StopFlag:
    """Set once; whoever works looks at it between two steps."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""
        self.error: Exception | None = None

    @property
    def is_set(self) -> bool:
        """Whether the process is to end."""
        return self._event.is_set()

    def set(self, reason: str, error: Exception | None = None) -> None:
        """Ask everybody to stop; the first reason stays."""
        if not self.is_set:
            self.reason, self.error = reason, error
        self._event.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the flag is set, at most so long; return whether it is."""
        return self._event.wait(seconds)

    def raise_if_set(self) -> None:
        """Raise.

        Raises:
            Abandoned: the flag is set.
        """
        if self.is_set:
            raise Abandoned(f"the work was abandoned: {self.reason}")


class HeldClaims:
    """The claims that this process holds, so that they can be released when it ends in haste."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}
        self._lock = threading.Lock()

    def add(self, claim: Claim) -> None:
        """Remember a claim."""
        with self._lock:
            self._claims[claim.drop_id] = claim

    def release(self, claim: Claim) -> None:
        """Release a claim and forget it; one that is lost, or cannot be reached, runs out by itself."""
        with self._lock:
            is_held = self._claims.pop(claim.drop_id, None) is not None
        if is_held:
            try:
                claim.release()
            except StorageError:
                return

    def release_all(self) -> list[str]:
        """Release what is held; return the drops."""
        claims = list(self._claims.values())
        for claim in claims:
            self.release(claim)
        return [claim.drop_id for claim in claims]


def run_stoppable(
    work: Callable[[], ResultT],
    stop: StopFlag,
    held: HeldClaims,
    log: Log,
    *,
    exit_code: int,
    grace_seconds: float = GRACE_SECONDS,
) -> ResultT:
    """Do the work in a thread; SIGTERM and SIGINT set the flag and start the deadline.

    Args:
        work: what to do; returns soon after the flag is set.
        stop: the flag.
        held: what to release in haste.
        log: hears of an end in haste.
        exit_code: of the process where it has to be ended in haste.
        grace_seconds: how long the work has to end by itself after a signal.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        seconds = 0.0 if stop.is_set else grace_seconds  # a second signal: now
        stop.set(signal.Signals(number).name)
        deadline = threading.Timer(seconds, _end_in_haste, (held, log, exit_code))
        deadline.daemon = True
        deadline.start()

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="work") as pool:
            result = pool.submit(work)
            while not wait([result], LOOK_SECONDS).done:
                pass
            return result.result()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _end_in_haste(held: HeldClaims, log: Log, exit_code: int) -> None:
    """Release what can be released in a moment, and end the process without waiting for anybody."""

    def last_acts() -> None:  # each may hang: a store that does not answer, a log that somebody holds
        log.warning("process_ended_in_haste", released_drops=held.release_all())

    acting = threading.Thread(target=last_acts, daemon=True)
    acting.start()
    acting.join(RELEASE_SECONDS)
    os._exit(exit_code)
