"""The simulation: today's tenth of its schedules breaks no promise, and a schedule can be played again."""

import pytest

from tests.reliability.rotation import require_tenth_of_the_day
from tests.reliability.simulation.world import World, simulate


def history(world: World) -> list[tuple[object, ...]]:
    return [(change.at, change.who, change.what, change.key, change.stored) for change in world.server.changes]


def test_the_tenth_of_the_day_breaks_no_promise() -> None:
    require_tenth_of_the_day("simulation")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_gives_one_schedule(seed: int) -> None:
    first = history(simulate(seed))
    assert len(first) > 10
    assert history(simulate(seed)) == first
    assert history(simulate(seed + 10)) != first
