"""Time and turns of a simulation: whoever waits is a greenlet, and one heap says who is next.

A schedule follows from its seed alone: no thread, no real clock, no order of a set.
"""

import heapq
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Protocol

from greenlet import GreenletExit, getcurrent, greenlet


class Owner(Protocol):
    """To whom an actor belongs."""

    def wake(self) -> None:
        """Hear that one of one's actors goes on; may sleep longer, or raise what ends it."""
        ...


class Schedule:
    """The clock, and who sleeps until when.

    Attributes:
        now: seconds since the beginning.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, greenlet]] = []
        self._turns = count()
        self._turn_of: dict[greenlet, int] = {}
        self._owner_of: dict[greenlet, Owner | None] = {}
        self._main = getcurrent()

    @property
    def owner(self) -> Owner | None:
        """Whose actor acts now."""
        return self._owner_of.get(getcurrent())

    def start(self, work: Callable[[], None], after: float = 0.0, owner: Owner | None = None) -> greenlet:
        """Begin something that runs beside all else; it belongs to `owner`, or to whom its starter belongs."""
        actor = greenlet(work, self._main)
        self._owner_of[actor] = owner or self.owner
        self.wake(actor, after)
        return actor

    def sleep(self, seconds: float) -> None:
        """Let others act for so long, or until somebody wakes us."""
        self.wake(getcurrent(), seconds)
        self._main.switch()
        if self.owner is not None:
            self.owner.wake()

    def wake(self, actor: greenlet, seconds: float = 0.0) -> None:
        """Let a sleeper go on in so many seconds, whatever was planned for it before."""
        turn = next(self._turns)
        self._turn_of[actor] = turn
        heapq.heappush(self._sleepers, (self.now + max(seconds, 0.0), turn, actor))

    def run(self, limit: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let everybody act until a condition holds, at most until the clock shows `limit`; return the condition."""
        while self._sleepers and self._sleepers[0][0] <= limit:
            due, turn, actor = heapq.heappop(self._sleepers)
            if actor.dead or self._turn_of[actor] != turn:
                continue
            self.now = max(self.now, due)
            actor.switch()
            if until():
                return True
        self.now = max(self.now, limit)
        return until()

    def end(self) -> None:
        """End everybody who still sleeps."""
        while self._sleepers:
            _, _, actor = heapq.heappop(self._sleepers)
            if not actor.dead:
                actor.throw(GreenletExit)


def threading_on(schedule: Schedule) -> SimpleNamespace:  # noqa: C901 - three small classes on one schedule
    """Return what `threading` offers the claims, on the actors of a schedule."""

    class Event:
        """A flag that can be waited for."""

        def __init__(self) -> None:
            self._is_set = False
            self._waiting: list[greenlet] = []

        def set(self) -> None:
            self._is_set = True
            for actor in self._waiting:
                schedule.wake(actor)

        def wait(self, seconds: float) -> bool:
            if not self._is_set:
                self._waiting.append(getcurrent())
                schedule.sleep(seconds)
                self._waiting.remove(getcurrent())
            return self._is_set

    class Lock:
        """A lock whose holder may sleep."""

        def __init__(self) -> None:
            self._is_held = False

        def __enter__(self) -> None:
            while self._is_held:
                schedule.sleep(0.05)
            self._is_held = True

        def __exit__(self, *_: object) -> None:
            self._is_held = False

    class Thread:
        """Work beside the rest."""

        def __init__(self, target: Callable[..., None], args: tuple[object, ...], **_: object) -> None:
            self._work = lambda: target(*args)
            self._actor: greenlet | None = None

        def start(self) -> None:
            self._actor = schedule.start(self._work)

        def join(self) -> None:
            while self._actor is not None and not self._actor.dead:
                schedule.sleep(0.05)

    return SimpleNamespace(Event=Event, Lock=Lock, Thread=Thread)
