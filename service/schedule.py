# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# The one module that speaks to APScheduler, which has no types.
"""When things are done: every problem is polled, one worker thread does the runs, the heartbeat has its own."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from config import Settings
from service.exits import Exit
from service.logs import Log
from service.stopping import StopFlag
from service.wake import waking
from service.watcher import Pass, Watcher

HEARTBEAT_SECONDS = 15
LOOK_MARGIN_SECONDS = 0.05


def serve(
    watchers: Sequence[Watcher],
    settings: Settings,
    stop: StopFlag,
    log: Log,
    hear: Callable[[Pass], None] = lambda _: None,
) -> None:
    """Poll every problem until the flag is set, and end when the poll at hand has ended.

    Args:
        watchers: one for each problem.
        settings: poll_seconds and heartbeat count here.
        stop: the flag.
        log: of the service.
        hear: is told of every pass.
    """
    scheduler = _scheduler()
    busy = threading.Lock()
    jobs = [_Job(scheduler, watcher, settings.poll_seconds, stop, busy, hear) for watcher in watchers]
    if settings.heartbeat is not None:
        _add(scheduler, "heartbeat", _toucher(settings.heartbeat, log), HEARTBEAT_SECONDS)
    with waking({job.location: job.wake for job in jobs}, log):
        scheduler.start()
        log.info("service_started", problems=[watcher.problem.problem for watcher in watchers])
        stop.wait()
        with busy:  # a poll that ends after this asks nothing of the scheduler any more
            pass
    scheduler.shutdown(wait=True)
    log.info("service_stopped", reason=stop.reason)


def pass_once(watchers: Sequence[Watcher], stop: StopFlag) -> Exit:
    """Go once over all problems, and return the worst that happened.

    It waits once for the drops that have not settled: one that changes meanwhile is still being written, and left
    alone. It waits for the drops that others hold until their claims were silent for a ttl, and takes them over; one
    whose holder shows that it is alive is left to it.
    """
    latest = [watcher.poll() for watcher in watchers]
    passes = [*latest]
    waits = [seen.settle_seconds for seen in latest if seen.settle_seconds is not None]
    if waits and not stop.wait(max(waits) + LOOK_MARGIN_SECONDS):
        latest = [watcher.poll() for watcher in watchers]
        passes += latest
    while looks := [seen.held_seconds for seen in latest if seen.held_seconds is not None]:
        if stop.wait(min(looks) + LOOK_MARGIN_SECONDS):
            break
        latest = [watcher.poll() for watcher in watchers]
        passes += latest
    return max((seen.exit_code for seen in passes), default=Exit.DONE)


class _Job:
    """The polling of one problem."""

    def __init__(
        self,
        scheduler: Any,  # noqa: ANN401 - untyped
        watcher: Watcher,
        seconds: float,
        stop: StopFlag,
        busy: threading.Lock,
        hear: Callable[[Pass], None],
    ) -> None:
        self.location = watcher.problem.drops
        self._watcher = watcher
        self._stop = stop
        self._busy = busy
        self._hear = hear
        self._is_woken = threading.Event()
        self._job = _add(scheduler, "runs", self._poll, seconds, name=watcher.problem.problem)

    def wake(self) -> None:
        """Have the problem polled at once, and once more after a poll that is going on."""
        self._is_woken.set()
        self._poll_in(0.0)

    def _poll_in(self, seconds: float) -> None:
        """Have the problem polled in so many seconds, unless it is sooner anyway."""
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        planned = getattr(self._job, "next_run_time", None)
        if planned is None or due < planned:
            self._job.modify(next_run_time=due)

    def _poll(self) -> None:
        with self._busy:
            if self._stop.is_set:
                return
            seen = self._poll_until_nobody_calls()
            if seen.settle_seconds is not None and not self._stop.is_set:
                self._poll_in(seen.settle_seconds + LOOK_MARGIN_SECONDS)

    def _poll_until_nobody_calls(self) -> Pass:
        """Poll; once more where a marker came meanwhile, which the listing may have missed."""
        while True:
            self._is_woken.clear()
            seen = self._watcher.poll()
            self._hear(seen)
            if not self._is_woken.is_set() or self._stop.is_set:
                return seen


def _scheduler() -> Any:  # noqa: ANN401 - untyped
    return BackgroundScheduler(
        timezone=UTC,
        executors={"runs": ThreadPoolExecutor(1), "heartbeat": ThreadPoolExecutor(1)},
        # Two of a job: a poll that is called for while one is about to end waits its turn, and is not skipped.
        job_defaults={"coalesce": True, "max_instances": 2, "misfire_grace_time": None},
    )


def _add(scheduler: Any, executor: str, work: Callable[[], None], seconds: float, name: str | None = None) -> Any:  # noqa: ANN401
    now = datetime.now(UTC)
    return scheduler.add_job(
        work, "interval", seconds=seconds, executor=executor, name=name or executor, next_run_time=now
    )


def _toucher(path: Path, log: Log) -> Callable[[], None]:
    def touch() -> None:
        try:
            path.touch()
        except OSError as error:
            log.warning("heartbeat_failed", file=str(path), found=str(error))

    return touch
