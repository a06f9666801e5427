"""Stages of a job: told to the observer, and kept as seconds and peak bytes."""

from collections.abc import Generator
from contextlib import contextmanager
from resource import RUSAGE_SELF, getrusage
from time import monotonic

from jobs.memory import return_freed_memory
from jobs.observer import Observer

_KIB = 1024  # getrusage counts in KiB on Linux


class Stages:
    """The record of one job.

    Args:
        observer: hears of every stage, and may raise to abandon the job.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.seconds: dict[str, float] = {}
        self.peak_bytes: dict[str, int] = {}
        self.facts: dict[str, dict[str, object]] = {}

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Generator[dict[str, object]]:
        """Run one stage; what is put into the yielded record is told when it ends."""
        self._observer.stage_started(name, total, unit)
        begun, facts = monotonic(), dict[str, object]()
        yield facts
        return_freed_memory()
        self.seconds[name] = round(monotonic() - begun, 3)
        self.peak_bytes[name] = getrusage(RUSAGE_SELF).ru_maxrss * _KIB
        self.facts[name] = facts
        self._observer.stage_finished(name, self.seconds[name], facts)

    def advance(self, steps: int = 1) -> None:
        """So many steps of the current stage are done."""
        self._observer.advanced(steps)
