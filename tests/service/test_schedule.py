"""When problems are polled."""

import time

import pytest

from config import Settings
from service.schedule import serve
from service.watcher import Pass
from tests.service.conftest import Home
from tests.service.substitute import write_drop, write_part

PATIENCE_SECONDS = 30.0


def test_a_marker_that_comes_during_a_poll_is_not_left_to_the_next_one(
    local_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_part(local_home.drops, "dt=1/")
    watcher, stop, passes = local_home.app.watcher(local_home.problem), local_home.app.stop, list[Pass]()
    real_poll, began = watcher.poll, time.monotonic()

    def poll() -> Pass:
        seen = real_poll()
        if not passes:
            write_drop(local_home.drops, "dt=1/")
            time.sleep(1.0)  # the event arrives while we are still at it
        return seen

    def hear(seen: Pass) -> None:
        passes.append(seen)
        if seen.settle_seconds is not None or time.monotonic() - began > PATIENCE_SECONDS:
            stop.set("it was found")

    monkeypatch.setattr(watcher, "poll", poll)
    serve([watcher], Settings(poll_seconds=PATIENCE_SECONDS), stop, local_home.app.log, hear)
    assert len(passes) == 2
    assert time.monotonic() - began < PATIENCE_SECONDS
