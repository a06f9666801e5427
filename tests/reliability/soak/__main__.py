"""A day of the service in some minutes, its store down for ten of them: `python -m tests.reliability.soak`.

One process of the real command, with real training, on an S3 server behind a proxy that can hang up. Drops come all the
time, every tenth of them poison; in the middle the store is gone, with a drop that came right before it. Ends with a
table, and with 1 unless every good drop was committed once, every poison was put aside and held nobody up, the process
lived through it all, the store was asked ever more rarely while it was gone, and neither memory nor handles grew.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from storage import ObjectStore
from storage.errors import StorageError
from storage.keys import MARKER
from tests.architecture.tree import ROOT
from tests.reliability.chaos.playing import open_past_proxies, parts
from tests.reliability.weighing import weight_of
from tests.servers import proxying
from tests.servers.kinds import started
from tests.servers.server import Server

POISON_EVERY = 10
GROWN_BYTES, GROWN_HANDLES = 64 << 20, 8  # between the first half of the time before the outage and the end
LATE_SECONDS = 180.0  # after the store is back, until what waited is done

_PROBLEM = """\
problem: return
drops: s3://soak-drops
results: s3://soak-results
complete: {settle_seconds: 0.3}
table: {id: user_id, label: active}
split: {folds: 2}
net: {epochs: 6, d_block: 8, n_blocks: 1}
explain: {rows: 10, background: 0}
"""


class _Line:
    """The line to the server, which may be dead."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.is_dead = False
        self.requests = Counter[bool]()  # by whether the line was dead


class _Handler(proxying.Handler):
    proxy: _Line

    def pass_on(self) -> None:
        """Pass a request on, or hang up."""
        body, is_dead = self.body(), self.proxy.is_dead
        self.proxy.requests[is_dead] += 1
        if is_dead:
            self.close_connection = True
            return
        self.send(*self.ask(self.proxy.upstream, body, self.passed_on()))


@dataclass
class _Soak:
    """One soak.

    Attributes:
        drops, results: the stores, past the proxy.
        process: of the command.
        interval: seconds between two drops.
        written: prefixes of the drops, by whether they are good.
        weights: handles and bytes at each look.
    """

    drops: ObjectStore
    results: ObjectStore
    process: "subprocess.Popen[bytes]"
    interval: float
    written: dict[str, bool] = field(default_factory=dict)
    weights: list[Counter[str]] = field(default_factory=list)

    def write_drop(self) -> None:
        """Write one more drop; every tenth has a part that is no parquet."""
        number = len(self.written)
        folder, is_good = f"n={number}/", number % POISON_EVERY != POISON_EVERY - 1
        for name, body in parts().items():
            self.drops.write(folder + name, body if is_good else body[: len(body) // 2])
        self.drops.write(folder + MARKER, b"")
        self.written[folder] = is_good

    def produce(self, seconds: float) -> None:
        """Write drops for so long, and weigh the process beside it."""
        end, due = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < end and self.process.poll() is None:
            if time.monotonic() >= due:
                self.write_drop()
                due += self.interval
            self.weigh()
            time.sleep(0.5)

    def weigh(self) -> None:
        """Take down what the process holds now."""
        if self.process.poll() is None:
            self.weights.append(weight_of([self.process.pid]))

    def wait_until(self, is_so: Callable[[], bool], seconds: float) -> float:
        """Wait until something is so; return after how many seconds it was, at most `seconds`."""
        began = time.monotonic()
        while time.monotonic() - began < seconds and self.process.poll() is None:
            self.weigh()
            try:
                if is_so():
                    break
            except StorageError:  # somebody writes while we look
                pass
            time.sleep(0.5)
        return time.monotonic() - began

    def is_done(self) -> bool:
        """Tell whether nothing waits any more."""
        ended = len(self.commits()) + len(list(self.results.list("return/quarantine/")))
        return ended >= len(self.written)

    def commits(self) -> list[dict[str, Any]]:
        """Return every commit."""
        keys = [info.key for info in self.results.list("return/runs/") if info.key.endswith("/COMMIT.json")]
        return [json.loads(self.results.read(key)[0]) for key in keys]

    def median_of(self, what: str, first: float, last: float) -> float:
        """Return the median weight in a stretch of all looks, given as shares of them."""
        n = len(self.weights)
        return median(each[what] for each in self.weights[int(first * n) : max(int(first * n) + 1, int(last * n))])


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=12.0, help="with the store there, half before the outage (12)")
    parser.add_argument("--outage-minutes", type=float, default=10.0, help="without it (10)")
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between two drops (5)")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="winnow-soak-") as folder:
        return _play(Path(folder), 60 * given.minutes, 60 * given.outage_minutes, given.interval)


def _play(home: Path, seconds: float, outage: float, interval: float) -> int:
    with ExitStack() as stack:
        (home / "server").mkdir()
        server = stack.enter_context(started("moto", home / "server"))
        for bucket in ("soak-drops", "soak-results"):
            server.client().create_bucket(Bucket=bucket)
        line = _Line(server.url)
        url = stack.enter_context(proxying.serving(_Handler, line))
        process = stack.enter_context(_watching(home, server, url))
        stores = (open_past_proxies(server, bucket) for bucket in ("soak-drops", "soak-results"))
        soak = _Soak(*stores, process, interval)
        soak.produce(seconds / 2)
        soak.wait_until(soak.is_done, LATE_SECONDS)
        before = len(soak.weights)
        asked = line.requests.total()
        line.is_dead = True
        soak.write_drop()
        soak.wait_until(lambda: False, outage)
        asked_in_outage = line.requests[True]
        line.is_dead = False
        late = soak.wait_until(soak.is_done, LATE_SECONDS)
        soak.produce(seconds / 2)
        soak.wait_until(soak.is_done, LATE_SECONDS)
        is_alive = process.poll() is None
        share = before / len(soak.weights)
        at_first = {what: soak.median_of(what, share / 2, share) for what in ("bytes", "handles")}
        grown = {what: soak.median_of(what, 0.9, 1) - weight for what, weight in at_first.items()}
        requests = (asked, asked_in_outage)
        return _report(soak, home, is_alive=is_alive, requests=requests, outage=outage, late=late, grown=grown)


def _report(
    soak: _Soak,
    home: Path,
    *,
    is_alive: bool,
    requests: tuple[int, int],
    outage: float,
    late: float,
    grown: dict[str, float],
) -> int:
    commits = soak.commits()
    parts_consumed = [part["key"] for commit in commits for part in commit["consumed"]["parts"]]
    consumed = {f"{key.partition('/')[0]}/" for key in parts_consumed}
    good = {folder for folder, is_good in soak.written.items() if is_good}
    poison = soak.written.keys() - good
    put_aside = len(list(soak.results.list("return/quarantine/")))
    events = Counter(json.loads(line)["event"] for line in _log_of(home).read_text(encoding="utf-8").splitlines())
    rows = {
        "drops": len(soak.written),
        "committed": len(commits),
        "lost": len(good - consumed),
        "committed twice": len(commits) - len(consumed),
        "poison put aside": f"{put_aside} of {len(poison)}",
        "the process lives": is_alive,
        "requests before the outage": requests[0],
        f"requests in {outage / 60:.1f} minutes without a store": requests[1],
        "store_failed in the log": events["store_failed"],
        "seconds from its return to the end of what waited": round(late, 1),
        "MB more at the end": round(grown["bytes"] / 1e6, 1),
        "handles more at the end": round(grown["handles"]),
    }
    print("\n".join(f"{name:52} {value!s:>10}" for name, value in rows.items()))
    is_right = consumed == good and len(commits) == len(good) and put_aside == len(poison)
    is_flat = grown["bytes"] <= GROWN_BYTES and grown["handles"] <= GROWN_HANDLES
    return 0 if is_right and is_flat and is_alive and late < LATE_SECONDS and _backs_off(home, outage) else 1


def _backs_off(home: Path, outage: float) -> bool:
    """Tell whether the store was asked again after delays that never shrink, and at least once."""
    said = [json.loads(line) for line in _log_of(home).read_text(encoding="utf-8").splitlines()]
    delays = [float(entry["retry_seconds"]) for entry in said if entry["event"] in {"store_failed", "drop_postponed"}]
    return bool(delays) and delays == sorted(delays) and sum(delays[:-1]) <= outage + LATE_SECONDS


def _log_of(home: Path) -> Path:
    return home / "winnow.log"


@contextmanager
def _watching(home: Path, server: Server, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the real command until the context ends."""
    (home / "return.yaml").write_text(_PROBLEM, encoding="utf-8")
    (home / "winnow.yaml").write_text("problems: [return.yaml]\npoll_seconds: 0.2\nthreads: 1\n", encoding="utf-8")
    command = [str(Path(sys.executable).parent / "winnow"), "watch", "--config", str(home / "winnow.yaml")]
    environment = {**os.environ, **server.environment(), "AWS_ENDPOINT_URL_S3": url}
    with _log_of(home).open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
