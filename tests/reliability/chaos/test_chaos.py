"""Today's tenth of the kills, on every store that is here; and the judge itself."""

from pathlib import Path

import pytest

from storage import LocalStore
from storage.keys import MARKER
from tests.reliability.chaos.outcome import Scene, judged
from tests.reliability.chaos.playing import BYSTANDERS
from tests.reliability.chaos.points import STORES, all_points
from tests.reliability.chaos.proxy import Change
from tests.reliability.rotation import require_tenth_of_the_day
from tests.requirements import require
from tests.servers.kinds import KINDS


def test_there_are_more_than_five_hundred_points_each_once() -> None:
    points = all_points()
    assert len({str(point) for point in points}) == len(points) >= 504


@pytest.mark.parametrize("store", STORES)
def test_the_tenth_of_the_day_breaks_no_promise(store: str) -> None:
    if store in KINDS:
        require(KINDS[store].is_there(), KINDS[store].needs)
    require_tenth_of_the_day("chaos", "--stores", store)


def test_the_judge_finds_what_is_broken(tmp_path: Path) -> None:
    changes: list[Change] = []
    scene = Scene(LocalStore(tmp_path / "drops"), LocalStore(tmp_path / "results"), lambda: changes, lambda: True)
    scene.fill({"part-0.parquet": b"one", "part-1.parquet": b"two"}, BYSTANDERS, MARKER)
    point = all_points()[0]
    assert judged(point, scene, 0).broken == {"stuck": "there is no commit"}
    scene.drops.delete(scene.drops.head("dt=0/part-0.parquet"))
    changes.append(Change("delete", "drops/dt=0/part-0.parquet"))
    assert judged(point, scene, 0).broken.keys() == {"lost", "wrong", "stuck"}
    scene.was_killed = lambda: False
    assert "unreached" in judged(point, scene, 0).broken
