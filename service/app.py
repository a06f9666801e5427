"""The composition root: the only place where stores, claims, observers and the work itself are put together.

The defaults are the production objects; tests and other homes pass their own.
"""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from config import Problem, Settings
from config.machine import usable_cores, usable_memory
from jobs.run import run_drop
from service.logs import Log, get_log
from service.progress import Bars, make_bars
from service.stopping import HeldClaims, StopFlag
from service.watcher import Watcher
from service.worker import RunDrop, Worker
from storage import ObjectStore, open_store
from storage.claims import Claims


@dataclass(frozen=True, kw_only=True)
class App:
    """One process of the service.

    Attributes:
        settings: of the service.
        stop: the flag that ends it.
        held: the claims that it holds.
        log: of the process.
        run_drop: the work on one drop.
        open_store: opens the store with this URL.
        make_bars: makes the progress bars of one run.
        clock: a monotonic clock in seconds.
    """

    settings: Settings
    stop: StopFlag = field(default_factory=StopFlag)
    held: HeldClaims = field(default_factory=HeldClaims)
    log: Log = field(default_factory=get_log)
    run_drop: RunDrop = run_drop
    open_store: Callable[[str], ObjectStore] = open_store
    make_bars: Callable[[], Bars] = make_bars
    clock: Callable[[], float] = time.monotonic

    def worker(self, problem: Problem, drops: ObjectStore | None = None) -> Worker:
        """Put the worker of a problem together.

        Args:
            problem: what is asked.
            drops: where its drops are, if not where the problem says.
        """
        results = self.open_store(problem.results)
        owner = f"{socket.gethostname()}:{os.getpid()}"
        return Worker(
            problem=problem,
            drops=drops or self.open_store(problem.drops),
            results=results,
            claims=Claims(results, problem.problem, owner, self.settings.claim_ttl_seconds, self.clock),
            run_drop=self.run_drop,
            stop=self.stop,
            held=self.held,
            make_bars=self.make_bars,
            log=self.log.bind(problem=problem.problem),
            threads=self.settings.threads or usable_cores(),
            max_memory=self.settings.max_memory or usable_memory(),
        )

    def watcher(self, problem: Problem) -> Watcher:
        """Put the watcher of a problem together."""
        return Watcher(self.worker(problem), self.open_store, self.clock)
