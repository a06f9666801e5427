"""The stop flag, the claims that are held, and what a signal does to work that listens."""

import os
import signal
import threading
import time

import pytest

from jobs.errors import Abandoned
from service.logs import get_log
from service.stopping import HeldClaims, StopFlag, run_stoppable
from storage.claims import Claims
from tests.service.conftest import Home

SENDERS = {
    "to the process": lambda number: os.kill(os.getpid(), number),
    "to a thread that is not the main one": lambda number: signal.pthread_kill(threading.get_ident(), number),
}


def test_the_first_reason_stays() -> None:
    stop = StopFlag()
    stop.raise_if_set()
    stop.set("SIGTERM")
    stop.set("something else", ValueError())
    assert (stop.is_set, stop.reason, stop.error) == (True, "SIGTERM", None)
    with pytest.raises(Abandoned, match="SIGTERM"):
        stop.raise_if_set()


def test_claims_are_released_once_and_a_lost_one_is_no_failure(local_home: Home) -> None:
    claims = Claims(local_home.results, "return", "we", 0.0, local_home.clock)
    ours, lost = claims.take("a" * 32), claims.take("b" * 32)
    assert ours is not None
    assert lost is not None
    assert [claims.take("b" * 32) for _ in range(2)][1] is not None
    held = HeldClaims()
    held.add(ours)
    held.add(lost)
    assert sorted(held.release_all()) == ["a" * 32, "b" * 32]
    assert held.release_all() == []
    assert claims.take("a" * 32) is not None


@pytest.mark.parametrize("where", [*SENDERS])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_work_that_listens(number: signal.Signals, where: str) -> None:
    stop, began = StopFlag(), threading.Event()
    before = signal.getsignal(number)

    def work() -> str:
        began.set()
        return stop.reason if stop.wait(20.0) else "never"

    def send() -> None:
        began.wait()
        SENDERS[where](number)

    sender = threading.Thread(target=send)
    sender.start()
    started = time.monotonic()
    # The deadline would end this process: it has to be far away, and it is a thread that nobody waits for.
    assert run_stoppable(work, stop, HeldClaims(), get_log(), exit_code=0, grace_seconds=10_000) == number.name
    sender.join()
    assert time.monotonic() - started < 10.0
    assert signal.getsignal(number) is before


def test_what_the_work_raises_comes_out() -> None:
    def work() -> None:
        raise Abandoned("stop")

    with pytest.raises(Abandoned, match="stop"):
        run_stoppable(work, StopFlag(), HeldClaims(), get_log(), exit_code=0)
