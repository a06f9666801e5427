"""Plays one kill: a drop, some processes of the real command, one of them killed, another one started in its place."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from storage import LocalStore, ObjectStore, S3Store
from storage.keys import MARKER, new_nonce
from tests.architecture.tree import ROOT
from tests.reliability.chaos.outcome import Ended, Scene, at_rest, judged
from tests.reliability.chaos.points import KINDS, N_PARTS, Point
from tests.reliability.chaos.proxy import Change, Proxy, Trap, serving
from tests.servers.server import Server

STUCK_SECONDS = 60.0
CLAIM_TTL_SECONDS = 1.2
BYSTANDERS = {"notes.txt": b"not a drop", "dt=1/part-00000-unfinished.parquet": b"still being written"}

_PROBLEM = """\
problem: return
drops: {drops}
results: {results}
complete: {{settle_seconds: 0.3}}
table: {{id: user_id, label: active}}
split: {{folds: 2}}
net: {{epochs: 6, d_block: 8, n_blocks: 1}}
explain: {{rows: 10, background: 0}}
"""


class Zygote:
    """What starts processes of the real command."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, asked: dict[str, object]) -> int:
        """Start one; return its id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def zygote() -> Iterator[Zygote]:
    """Run one until the context ends."""
    command = [sys.executable, "-m", "tests.reliability.chaos.zygote"]
    quiet = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **quiet}
    )
    try:
        yield Zygote(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def parts() -> dict[str, bytes]:
    """Return the parts of a drop of 180 users, by name."""
    random, write, made = np.random.default_rng(5), new_nonce(), {}
    for number in range(N_PARTS):
        counts = random.poisson(0.5, (60, 12))
        table = pd.DataFrame(counts, columns=[f"c{i}" for i in range(12)])
        table["user_id"] = [f"u{number}-{i}" for i in range(60)]
        table["active"] = (counts[:, 0] + random.normal(0, 0.5, 60) > 0.7).astype(int)
        sink = io.BytesIO()
        table.to_parquet(sink, index=False)
        made[f"part-{number:05d}-{write}-c000.snappy.parquet"] = sink.getvalue()
    return made


@dataclass
class _Process:
    """One place for a process: who is in it now."""

    asked: dict[str, object]
    proxy: Proxy | None
    pid: int = 0
    lives: int = 0


@dataclass
class _Run:
    zygote: Zygote
    processes: list[_Process] = field(default_factory=list)

    def keep_up(self) -> None:
        """Start whoever is not alive."""
        for process in self.processes:
            if process.pid and _is_alive(process.pid):
                continue
            if process.proxy is not None:
                process.proxy.is_known.clear()
            process.pid = self.zygote.start(process.asked)
            process.lives += 1
            if process.proxy is not None:
                process.proxy.belongs_to(process.pid)

    def end(self) -> None:
        """Kill everybody."""
        for process in self.processes:
            if process.pid:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)


def play(point: Point, starter: Zygote, folder: Path, server: Server | None) -> Ended:
    """Play one kill to its end.

    Args:
        point: which.
        starter: starts the processes.
        folder: for this run alone; it must exist.
        server: of the store; None for a folder.
    """
    with ExitStack() as stack:
        scene, run = _prepare(point, starter, folder, server, stack)
        stack.callback(run.end)
        deadline = time.monotonic() + STUCK_SECONDS
        while time.monotonic() < deadline:
            run.keep_up()
            if at_rest(scene):
                break
            time.sleep(0.1)
        time.sleep(0.3)  # whoever is still at it may do harm now
        run.end()
        return judged(point, scene, sum(process.lives - 1 for process in run.processes))


def _prepare(
    point: Point, starter: Zygote, folder: Path, server: Server | None, stack: ExitStack
) -> tuple[Scene, _Run]:
    run = _Run(starter)
    if server is None:
        drops, results = LocalStore(folder / "drops"), LocalStore(folder / "results")
        urls = {"drops": str(folder / "drops"), "results": str(folder / "results")}
        log = folder / "changes.jsonl"
        log.touch()
        (folder / "armed").touch()
        hook = {
            "root": str(folder),
            "log": str(log),
            "kind": KINDS.index(point.kind),
            "way": point.way,
            "armed": str(folder / "armed"),
        }
        scene = Scene(drops, results, lambda: _read_log(log), lambda: not (folder / "armed").exists())
    else:
        bucket = f"b{new_nonce()[:18]}"
        for name in ("drops", "results"):
            server.client().create_bucket(Bucket=f"{bucket}-{name}")
        urls = {name: f"s3://{bucket}-{name}" for name in ("drops", "results")}
        drops, results = open_past_proxies(server, f"{bucket}-drops"), open_past_proxies(server, f"{bucket}-results")
        trap, hook = Trap(point, bucket), None
        scene = Scene(drops, results, lambda: list(trap.changes), lambda: trap.is_sprung)
    (folder / "return.yaml").write_text(_PROBLEM.format(**urls), encoding="utf-8")
    config = {"problems": ["return.yaml"], "poll_seconds": 0.2, "claim_ttl_seconds": CLAIM_TTL_SECONDS, "threads": 1}
    (folder / "winnow.yaml").write_text(json.dumps(config), encoding="utf-8")
    scene.fill(parts(), BYSTANDERS, MARKER)
    for number in range(point.replicas):
        proxy = Proxy(server.url, trap) if server else None
        environment = (
            {**server.environment(), "AWS_ENDPOINT_URL_S3": stack.enter_context(serving(proxy))}
            if server and proxy
            else {}
        )
        asked: dict[str, object] = {
            "config": str(folder / "winnow.yaml"),
            "log": str(folder / f"replica-{number}.log"),
            "environment": environment,
            "hook": hook,
        }
        run.processes.append(_Process(asked, proxy))
    return scene, run


_CONNECTING = threading.Lock()


def open_past_proxies(server: Server, bucket: str) -> ObjectStore:
    """Open a bucket past all proxies."""
    with _CONNECTING:
        before = {name: os.environ.get(name) for name in server.environment()}
        os.environ.update(server.environment())
        try:
            return S3Store(bucket)
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


def _read_log(log: Path) -> list[Change]:
    return [Change(**json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
