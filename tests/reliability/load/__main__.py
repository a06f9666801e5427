"""Many small drops for some replicas, poison among them: `python -m tests.reliability.load --drops 500`.

The work itself is the substitute of the service's tests: what is measured is finding, claiming, committing, deleting.
Ends with a table, and with 1 unless every good drop was committed once, every poison put aside, and nothing leaked.
"""

import argparse
import io
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from config import load_service
from storage import LocalStore
from storage.keys import MARKER, new_nonce
from tests.architecture.tree import ROOT
from tests.reliability.weighing import weight_of
from tests.service.process import make_app
from tests.service.substitute import problem_at

POISON_EVERY = 10
LEAKED_HANDLES, LEAKED_BYTES = 8, 64 << 20  # more than this between the first tenth and the end is a leak


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.load", description=__doc__)
    parser.add_argument("--drops", type=int, default=500, help="how many (500)")
    parser.add_argument("--replicas", type=int, default=3, help="processes (3)")
    parser.add_argument("--minutes", type=float, default=10.0, help="give up after so long (10)")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="winnow-load-") as folder:
        return _play(Path(folder), given.drops, given.replicas, 60 * given.minutes)


def _play(home: Path, n_drops: int, n_replicas: int, limit: float) -> int:
    drops, results = LocalStore(home / "drops"), LocalStore(home / "results")
    for number in range(n_drops):
        says = "rejected" if number % POISON_EVERY == 0 else "fine"
        drops.write(f"n={number}/part-00000-{new_nonce()}-c000.parquet", f"{number} is {says}".encode())
        drops.write(f"n={number}/{MARKER}", b"")
    n_poison = len(range(0, n_drops, POISON_EVERY))
    (home / "return.yaml").write_text(problem_at(str(home)), encoding="utf-8")
    (home / "winnow.yaml").write_text("problems: [return.yaml]\npoll_seconds: 0.5\n", encoding="utf-8")
    began, first, last = time.monotonic(), Counter[str](), Counter[str]()
    with _replicas(home, n_replicas) as processes:
        while time.monotonic() - began < limit:
            done = sum(info.key.endswith("/FINISHED.json") for info in results.list("return/runs/"))
            last = weight_of(process.pid for process in processes if process.poll() is None)
            if not first and done >= n_drops // 10:
                first = last
            if done == n_drops - n_poison:
                break
            time.sleep(0.5)
        seconds = time.monotonic() - began
        ended_alone = sum(process.poll() is not None for process in processes)
    commits = [results.read(info.key)[0] for info in results.list("return/runs/") if info.key.endswith("/COMMIT.json")]
    consumed = Counter(part["key"] for body in commits for part in json.loads(body)["consumed"]["parts"])
    rows = {
        "drops": n_drops,
        "replicas": n_replicas,
        "committed": len(commits),
        "committed twice": sum(count > 1 for count in consumed.values()),
        "poison put aside": len(list(results.list("return/quarantine/"))),
        "seconds": round(seconds),
        "drops a second": round(len(commits) / seconds, 1),
        "ms of a poll with nothing to do": round(1000 * _idle_poll_seconds(home)),
        "replicas that ended by themselves": ended_alone,
        "handles leaked": max(0, last["handles"] - first["handles"]),
        "MB more at the end": round((last["bytes"] - first["bytes"]) / 1e6),
    }
    print("\n".join(f"{name:34} {value:>8}" for name, value in rows.items()))
    is_flat = last["handles"] - first["handles"] <= LEAKED_HANDLES * n_replicas
    is_flat &= last["bytes"] - first["bytes"] <= LEAKED_BYTES * n_replicas
    good = n_drops - n_poison
    is_right = (len(commits), rows["committed twice"], rows["poison put aside"], ended_alone) == (good, 0, n_poison, 0)
    return 0 if is_right and is_flat else 1


def _idle_poll_seconds(home: Path) -> float:
    """Return how long a poll takes when all is done: the sweep, the listing, and a look at what is in quarantine."""
    service = load_service(home / "winnow.yaml")
    watcher = make_app(service.settings).watcher(service.problems[0])
    took: list[float] = []
    with redirect_stdout(io.StringIO()):
        for _ in range(4):
            began = time.monotonic()
            watcher.poll()
            took.append(time.monotonic() - began)
    return min(took)


@contextmanager
def _replicas(home: Path, count: int) -> Iterator["list[subprocess.Popen[bytes]]"]:
    command = [sys.executable, "-m", "tests.service.process", str(home / "winnow.yaml")]
    logs = [(home / f"replica-{number}.log").open("wb") for number in range(count)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) for log in logs]
    try:
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process, log in zip(processes, logs, strict=True):
            process.wait()
            log.close()


if __name__ == "__main__":
    sys.exit(main())
