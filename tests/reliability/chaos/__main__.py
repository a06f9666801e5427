"""Kill the real command at every change it makes, on four stores: `python -m tests.reliability.chaos`.

Ends with a table, and with 1 where any promise was broken or any point was not reached.
"""

import argparse
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.reliability.chaos.outcome import Ended
from tests.reliability.chaos.playing import Zygote, play, zygote
from tests.reliability.chaos.points import STORES, Point, all_points
from tests.reliability.rotation import TENTHS, tenth_of
from tests.servers.kinds import KINDS
from tests.servers.server import Server

COLUMNS = ("lost", "doubled", "wrong", "stuck", "unreached")


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.chaos", description=__doc__)
    parser.add_argument("--tenth", type=int, choices=range(TENTHS), help="only this tenth of the points")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES), help="only these stores")
    parser.add_argument("--only", default="", help="only points whose name contains this")
    parser.add_argument("--processes", type=int, default=2, help="how many runs go on at once (2)")
    given = parser.parse_args()
    points = [point for point in all_points() if point.store in given.stores and given.only in str(point)]
    points = tenth_of(points, given.tenth)
    with TemporaryDirectory(prefix="winnow-chaos-") as folder:
        ended = play_all(points, Path(folder), given.processes)
    print("\n".join(table(ended)))
    return 1 if any(each.broken for each in ended) else 0


def play_all(points: Sequence[Point], folder: Path, processes: int) -> list[Ended]:
    """Play every point; servers run while they are needed."""
    ended: list[Ended] = []
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(processes))
        starters = [stack.enter_context(zygote()) for _ in range(processes)]
        for store in dict.fromkeys(point.store for point in points):
            with ExitStack() as of_store:
                server = of_store.enter_context(_started(store, folder)) if store != "folder" else None
                mine = [point for point in points if point.store == store]
                for done in pool.map(_Player(starters, folder, server), mine):
                    ended.append(done)
                    print(f"{len(ended):4} of {len(points)}  {done.point}  {dict(done.broken) or ''}", file=sys.stderr)
    return ended


def _started(store: str, folder: Path) -> "ExitStack":
    """Start a server in a folder of its own; without it there is no proof, so nothing is skipped."""
    home = folder / store
    home.mkdir()
    if not KINDS[store].is_there():
        raise SystemExit(f"The proof on {store} needs {KINDS[store].needs}")
    return KINDS[store].start(home)  # pyright: ignore[reportReturnType]


class _Player:
    """Plays points, each thread with a starter of its own."""

    def __init__(self, starters: list[Zygote], folder: Path, server: Server | None) -> None:
        self._free, self._lock = [*starters], threading.Lock()
        self._folder, self._server = folder, server

    def __call__(self, point: Point) -> Ended:
        with self._lock:
            starter = self._free.pop()
        home = Path(self._folder, f"run-{threading.get_ident()}")
        home.mkdir()
        try:
            return play(point, starter, home, self._server)
        finally:
            with self._lock:
                self._free.append(starter)
            shutil.rmtree(home)


def table(ended: list[Ended]) -> list[str]:
    """Return the lines of the table, and of all that was broken."""
    lines = [f"{'store':10} {'runs':>6} {'restarts':>9} " + " ".join(f"{column:>9}" for column in COLUMNS)]
    for store in (*dict.fromkeys(each.point.store for each in ended), "all"):
        mine = [each for each in ended if store in {"all", each.point.store}]
        count = Counter(kind for each in mine for kind in each.broken)
        figures = " ".join(f"{count[column]:9}" for column in COLUMNS)
        lines.append(f"{store:10} {len(mine):6} {sum(each.restarts for each in mine):9} {figures}")
    lines += [f"{each.point}: {kind}: {text}" for each in ended for kind, text in each.broken.items()]
    return lines


if __name__ == "__main__":
    sys.exit(main())
