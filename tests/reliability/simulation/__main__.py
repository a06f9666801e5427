"""Play many schedules and say what was found: `python -m tests.reliability.simulation --schedules 10000`.

Ends with 1 where any promise was broken; `--seed 17` plays that schedule again and lists what its server was asked to
change, in the same order.
"""

import argparse
import sys

from tests.reliability.rotation import TENTHS, tenth_of
from tests.reliability.simulation.invariants import violations
from tests.reliability.simulation.playing import Tally, counts_of, play_all
from tests.reliability.simulation.world import simulate


def replay(seed: int) -> Tally:
    """Play one schedule and print every change of its server."""
    world = simulate(seed)
    for change in world.server.changes:
        print(f"{change.at:%H:%M:%S.%f}  {change.who:14} {change.what:6} {change.bucket}/{change.key}")
    found = [(seed, violation.kind, violation.found) for violation in violations(world)]
    return Tally(counts_of(world), found)


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--tenth", type=int, choices=range(TENTHS), help="only this tenth of them")
    parser.add_argument("--processes", type=int, default=2, help="cores (2)")
    parser.add_argument("--seed", type=int, help="play this one schedule and print what its server changed")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.schedules)
    tally = play_all(tenth_of(seeds, given.tenth), given.processes) if given.seed is None else replay(given.seed)
    print("\n".join(tally.lines()))
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
