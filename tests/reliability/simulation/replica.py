"""A worker of the simulation: the real watcher, worker, claims and storage, on a network that fails.

Only the learning is replaced: a run waits as long as a training might, and publishes what it has read.
"""

import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import structlog
from greenlet import GreenletExit

from config import Problem, Settings
from jobs.errors import EmptyDrop
from jobs.observer import Observer
from jobs.run import conclude, concluded_before
from jobs.work import Outcome, Work
from service.app import App
from service.logs import Log
from service.progress import NoBars
from storage.commits import publish
from storage.keys import run_id_of
from storage.s3 import S3Store
from storage.s3_clients import S3Clients
from tests.reliability.memory_s3 import MemoryS3
from tests.reliability.simulation.network import Network
from tests.reliability.simulation.schedule import Schedule

CLAIM_TTL_SECONDS = 300.0
CONTENT = "content.json"
_SILENT: Log = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(50))


def _features() -> bytes:
    sink = io.BytesIO()
    pd.DataFrame({"feature": ["a"], "status": ["selected"]}).to_parquet(sink, index=False)
    return sink.getvalue()


FEATURES = _features()


class Replica:
    """One process of the service.

    Args:
        name: who it is on the server.
        random: of the schedule.
        schedule: the clock.
        server: where drops and results are.
        problem: what is asked.
        poll_seconds: between two polls.
        deaths: how likely each place around a change is to be the last; for this replica and its successors.
    """

    def __init__(
        self,
        name: str,
        random: random.Random,
        schedule: Schedule,
        server: MemoryS3,
        problem: Problem,
        poll_seconds: Callable[[], float],
        deaths: float,
    ) -> None:
        self.name = name
        self.is_dead = False
        self.clock_is_off = timedelta(0)
        self.died_at = ""
        self.network = Network(random, schedule, self._die_perhaps)
        self._random = random
        self._schedule = schedule
        self._server = server
        self._problem = problem
        self._poll_seconds = poll_seconds
        self._deaths = deaths
        self._paused_until = 0.0

    def serve(self) -> None:
        """Poll for ever."""
        settings = Settings(claim_ttl_seconds=CLAIM_TTL_SECONDS, threads=1)
        clock, log = (lambda: self._schedule.now), _SILENT
        app = App(settings=settings, log=log, run_drop=self._run, open_store=_open, make_bars=NoBars, clock=clock)
        watcher = app.watcher(self._problem)
        while not app.stop.is_set:
            watcher.poll()
            self._schedule.sleep(self._poll_seconds())

    def wake(self) -> None:
        """Go on, unless the process is dead or stands still."""
        if self.is_dead:
            raise GreenletExit
        while self._paused_until > self._schedule.now:
            left = self._paused_until - self._schedule.now
            self._paused_until = self._paused_until if left > 1e-6 else 0.0
            self._schedule.sleep(left)

    def pause(self, seconds: float) -> None:
        """Stand still for so long, with all threads."""
        self._paused_until = self._schedule.now + seconds

    def kill(self, place: str = "anywhere") -> None:
        """Die, without any last act."""
        self.is_dead, self.died_at = True, place

    def end_of_deaths(self) -> None:
        """Do not die any more."""
        self._deaths = 0.0

    def now(self) -> datetime:
        """Return what the clock of this machine shows."""
        return self._server.clock() + self.clock_is_off

    def clients(self) -> S3Clients:
        """Return the clients of a store."""
        return self.network.clients(self._server, self.name)

    def _die_perhaps(self, place: str) -> None:
        if self._random.random() < self._deaths:
            self.kill(place)
        if self.is_dead:
            raise GreenletExit

    def _run(self, work: Work, observer: Observer) -> Outcome:
        run_id = run_id_of(work.drop.drop_id, work.problem.canonical_json(), "simulation")
        concluded = concluded_before(work, run_id)
        if concluded is not None:
            return concluded
        content = {part.key: _content(work, part) for part in work.drop.parts}
        if not content:
            raise EmptyDrop("the drop has no rows")
        observer.stage_started("train", 0, "epochs")
        for _ in range(self._random.randint(1, 8)):
            self._schedule.sleep(self._random.uniform(1, 120))
            observer.advanced(1)
        with TemporaryDirectory() as folder:
            Path(folder, "features.parquet").write_bytes(FEATURES)
            Path(folder, CONTENT).write_text(json.dumps(content), encoding="utf-8")
            attempt = publish(work.results, work.problem.problem, run_id, work.fence, Path(folder))
        return conclude(work, run_id, attempt)


def _content(work: Work, part: object) -> str:
    with work.drops.open(part) as file:  # pyright: ignore[reportArgumentType]
        return file.read().decode()


def _open(url: str) -> S3Store:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return S3Store(bucket, prefix)


def clock_on(schedule: Schedule) -> type[datetime]:
    """Return a `datetime` whose `now` is that of the machine on which it is asked."""

    class Clock(datetime):
        """The clock of whoever asks."""

        @classmethod
        def now(cls, tz: object = UTC) -> datetime:  # noqa: ARG003 - the signature of datetime
            owner = schedule.owner
            assert isinstance(owner, Replica)
            return owner.now()

    return Clock
