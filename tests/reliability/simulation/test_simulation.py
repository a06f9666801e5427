"""The simulation: today's tenth of its schedules breaks no promise, and a schedule can be played again."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.rotation import tenth_of_the_day
from tests.reliability.simulation.world import World, simulate

ROOT = Path(__file__).parents[3]


def history(world: World) -> list[tuple[object, ...]]:
    return [(change.at, change.who, change.what, change.key, change.stored) for change in world.server.changes]


def test_the_tenth_of_the_day_breaks_no_promise() -> None:
    command = [sys.executable, "-m", "tests.reliability.simulation", "--tenth", str(tenth_of_the_day())]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_gives_one_schedule(seed: int) -> None:
    first = history(simulate(seed))
    assert len(first) > 10
    assert history(simulate(seed)) == first
    assert history(simulate(seed + 10)) != first
