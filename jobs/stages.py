"""Stages of a job: told to the observer, and kept as seconds and peak bytes."""

from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic

from jobs.memory import forget_peak, peak_bytes, return_freed_memory
from jobs.observer import Observer


class Stages:
    """The record of one job.

    Args:
        observer: hears of every stage, and may raise to abandon the job.
    """

    def __init__(self, observer: Observer) -> None:
        forget_peak()
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
        self.peak_bytes[name] = peak_bytes()
        self.facts[name] = facts
        self._observer.stage_finished(name, self.seconds[name], facts)

    def advance(self, steps: int = 1) -> None:
        """So many steps of the current stage are done."""
        self._observer.advanced(steps)
