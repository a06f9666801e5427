"""Plays many schedules on several cores, and counts what happened in them."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.reliability.simulation.invariants import violations
from tests.reliability.simulation.world import World, simulate

KINDS = ("lost", "doubled", "torn", "wrong", "stuck", "aside")


@dataclass
class Tally:
    """What some schedules came to.

    Attributes:
        counts: what happened, by name.
        broken: what every broken promise was, with its seed.
    """

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count those of another tally too."""
        self.counts += other.counts
        self.broken += other.broken

    def lines(self) -> Iterator[str]:
        """Yield the lines of a table."""
        for name in ("schedules", "drops written", "drops committed", "processes killed", "requests that failed"):
            yield f"{name:22} {self.counts[name]:9,}"
        for kind in KINDS:
            yield f"{kind:22} {sum(broken[1] == kind for broken in self.broken):9,}"
        for seed, kind, found in self.broken[:20]:
            yield f"seed {seed}: {kind}: {found}"


def play(seeds: Sequence[int]) -> Tally:
    """Play the schedules of some seeds."""
    tally = Tally()
    for seed in seeds:
        world = simulate(seed)
        tally.counts.update(counts_of(world))
        tally.broken += [(seed, violation.kind, violation.found) for violation in violations(world)]
    return tally


def counts_of(world: World) -> Counter[str]:
    """Return what happened in a schedule."""
    commits = [
        change for change in world.server.changes if change.key.endswith("/COMMIT.json") and change.what == "put"
    ]
    return Counter(
        {
            "schedules": 1,
            "drops written": sum(len(producer.generations) for producer in world.producers),
            "drops committed": len(commits),
            "processes killed": sum(replica.is_dead for replica in world.replicas),
            "requests that failed": sum(replica.network.n_faults for replica in world.replicas),
        }
    )


def play_all(seeds: Sequence[int], processes: int) -> Tally:
    """Play the schedules of some seeds on some cores, with a line of progress where somebody looks."""
    tally, step = Tally(), 50
    pieces = [seeds[start : start + step] for start in range(0, len(seeds), step)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done in pool.map(play, pieces):
            tally.add(done)
            if sys.stderr.isatty():
                print(f"\r{tally.counts['schedules']:,} of {len(seeds):,}", end="", file=sys.stderr)
    return tally
