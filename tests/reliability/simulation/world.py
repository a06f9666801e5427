"""One schedule: a server, producers, replicas, and everything that may go wrong with them, drawn from a seed."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from unittest.mock import patch
from uuid import UUID

from config import Problem
from storage.s3_clients import S3Clients
from tests.reliability.memory_s3 import MemoryS3
from tests.reliability.simulation.producer import BUCKET, Producer
from tests.reliability.simulation.replica import Replica, clock_on
from tests.reliability.simulation.schedule import Schedule, threading_on

RESULTS = "results"
MARKER_KINDS = {"marker": ("empty", "empty", "text", "json"), "manifest": ("manifest",), "quiet_period": ("none",)}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TROUBLE_SECONDS = 2 * 3600.0  # with faults, deaths and a producer at work
CALM_SECONDS = 6 * 3600.0  # to come to an end without
POLL_SECONDS = 30.0
PAUSE_SECONDS = (60.0, 5000.0)


@dataclass
class World:
    """What a seed gives.

    Attributes:
        seed: from which all follows.
        server: where drops and results are.
        producers: who writes drops.
        replicas: all processes that ever were.
        problem: what is asked of the drops.
        denies: whether nobody but the producer may delete drops.
    """

    seed: int
    server: MemoryS3
    problem: Problem
    producers: list[Producer] = field(default_factory=list)
    replicas: list[Replica] = field(default_factory=list)
    denies: bool = False


def simulate(seed: int) -> World:
    """Play one schedule to its end."""
    chance, schedule = random.Random(seed), Schedule()  # noqa: S311 - a simulation
    server = MemoryS3(
        clock=lambda: BEGIN + timedelta(seconds=schedule.now),
        keeps_versions=chance.random() < 0.4,
        deletes_conditionally=chance.random() < 0.7,
        buckets={BUCKET: {}, RESULTS: {}},
    )
    world = World(seed, server, _problem(chance), denies=chance.random() < 0.1)
    server.denies = lambda who, bucket: world.denies and bucket == BUCKET and who != "producer"
    with _played_on(schedule, chance):
        _begin(world, chance, schedule)
        schedule.run(TROUBLE_SECONDS)
        _calm_down(world)
        schedule.run(TROUBLE_SECONDS + CALM_SECONDS, until=lambda: _is_at_rest(world))
        schedule.run(schedule.now + 4 * POLL_SECONDS)
        schedule.end()
    return world


def _problem(chance: random.Random) -> Problem:
    rule = chance.choices(["marker", "manifest", "quiet_period"], [6, 2, 2])[0]
    return Problem.model_validate(
        {
            "problem": "return",
            "drops": f"s3://{BUCKET}",
            "results": f"s3://{RESULTS}",
            "table": {"id": "user_id", "label": "active"},
            "complete": {"rule": rule, "settle_seconds": 60.0, "quiet_seconds": 60.0},
            "retention_days": chance.choice([0, 0, 7]),
        }
    )


@contextmanager
def _played_on(schedule: Schedule, chance: random.Random) -> Iterator[None]:
    """Give the storage and the service rooms the clock, the threads and the network of the schedule."""

    def clients(url: str) -> S3Clients:
        assert isinstance(schedule.owner, Replica)
        return schedule.owner.clients()

    clock = clock_on(schedule)
    with ExitStack() as patches:
        for name, value in {
            "storage.claims.threading": threading_on(schedule),
            "storage.s3.time": SimpleNamespace(sleep=schedule.sleep),
            "storage.s3_conditions.time": SimpleNamespace(sleep=schedule.sleep),
            "storage.s3.connect": clients,
            "storage.keys.uuid4": lambda: UUID(int=chance.getrandbits(128), version=4),
            "storage.orphans.SUPERSEDED_REST": timedelta(0),
            "storage.orphans.UNCOMMITTED_REST": timedelta(hours=4),  # longer than a pause and a clock that is off
            "jobs.run.datetime": clock,
            "service.watcher.datetime": clock,
            "service.worker.datetime": clock,
        }.items():
            patches.enter_context(patch(name, value))
        yield


def _begin(world: World, chance: random.Random, schedule: Schedule) -> None:
    for number in range(chance.randint(1, 3)):
        kind, is_unique = chance.choice(MARKER_KINDS[world.problem.complete.rule]), chance.random() < 0.8
        producer = Producer(chance, schedule, world.server, f"dt={number}/", kind, is_unique=is_unique)
        world.producers.append(producer)
        schedule.start(producer.work)
    deaths = chance.choice([0.0, 0.005, 0.02, 0.05])
    for number in range(chance.randint(1, 3)):
        schedule.start(lambda number=number: _keep_up(world, chance, schedule, number, deaths))
    schedule.start(lambda: _trouble(world, chance, schedule))


def _keep_up(world: World, chance: random.Random, schedule: Schedule, number: int, deaths: float) -> None:
    """Start a replica, and another one in its place when it has died, as an orchestrator does."""
    for life in count():
        may_die = deaths if schedule.now < TROUBLE_SECONDS else 0.0
        replica = Replica(
            f"replica-{number}.{life}", chance, schedule, world.server, world.problem, lambda: POLL_SECONDS, may_die
        )
        world.replicas.append(replica)
        actor = schedule.start(replica.serve, chance.uniform(0, 40), owner=replica)
        while not (replica.is_dead or actor.dead):
            schedule.sleep(10.0)
        schedule.sleep(chance.choice([5.0, 60.0, 900.0]))


def _trouble(world: World, chance: random.Random, schedule: Schedule) -> None:
    """Let processes stand still, and clocks jump by an hour."""
    while schedule.now < TROUBLE_SECONDS:
        schedule.sleep(chance.expovariate(1 / 600.0))
        replica = chance.choice(world.replicas)
        if chance.random() < 0.5:
            replica.pause(chance.uniform(*PAUSE_SECONDS))
        else:
            replica.clock_is_off = timedelta(hours=chance.choice([-1, 0, 1]))


def _calm_down(world: World) -> None:
    for replica in world.replicas:
        replica.network.fault_rate = 0.0
        replica.end_of_deaths()


def _is_at_rest(world: World) -> bool:
    """Tell whether every commit is finished and no drop waits."""
    if not all(producer.is_done for producer in world.producers):
        return False
    results = world.server.buckets[RESULTS]
    commits = {key.rpartition("/")[0] for key in results if key.endswith("/COMMIT.json")}
    finished = {key.rpartition("/")[0] for key in results if key.endswith("/FINISHED.json")}
    return commits == finished and not any(
        set(generation.parts) <= set(world.server.buckets[BUCKET]) and not generation.is_disturbed
        for producer in world.producers
        for generation in producer.generations
    )
