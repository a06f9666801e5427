"""The service as a real process: what it does to stores, what it prints, how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage import ObjectStore, open_store
from storage.keys import MARKER
from storage.quarantine import read_all
from tests.architecture.tree import ROOT
from tests.service.substitute import PART, PROBLEM, problem_at, write_drop, write_part

PATIENCE_SECONDS = 30.0


@dataclass
class Service:
    """A process of the service, and what it has logged so far."""

    process: subprocess.Popen[str]
    lines: list[dict[str, Any]] = field(default_factory=list)

    def wait_for(self, event: str) -> dict[str, Any]:
        """Read the log up to an event."""
        assert self.process.stderr is not None
        for text in self.process.stderr:
            self.lines.append(json.loads(text))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"it ended without {event}: {self.lines}")

    def end(self) -> float:
        """Ask it to end, read the rest of the log, and return how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=PATIENCE_SECONDS)
        self.lines += [json.loads(text) for text in rest.splitlines()]
        return time.monotonic() - began

    def events(self) -> list[str]:
        """Return the events so far."""
        return [line["event"] for line in self.lines]


def configured(folder: Path, root: str, **settings: object) -> Path:
    """Write winnow.yaml and a problem with its places below `root`."""
    problem = problem_at(root).replace("settle_seconds: 0", "settle_seconds: 0.3")
    (folder / "return.yaml").write_text(problem, encoding="utf-8")
    path = folder / "winnow.yaml"
    path.write_text(json.dumps({"problems": ["return.yaml"], "poll_seconds": 0.2, **settings}), encoding="utf-8")
    return path


Start = Callable[..., Service]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what starts a service; none outlives the test."""
    started: list[Service] = []

    def begin(config: Path, *options: str) -> Service:
        command = [sys.executable, "-m", "tests.service.process", str(config), *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(Service(subprocess.Popen(command, cwd=ROOT, text=True, **pipes)))
        return started[-1]

    yield begin
    for service in started:
        service.process.kill()
        service.process.communicate()


def once(config: Path) -> tuple[int, str, list[dict[str, Any]]]:
    """Make one pass; return the exit code, stdout and the log."""
    command = [sys.executable, "-m", "tests.service.process", str(config), "--once"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    return done.returncode, done.stdout, [json.loads(line) for line in done.stderr.splitlines()]


def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    """Return all keys of a store."""
    return [info.key for info in store.list(prefix)]


def claims_of(root: str) -> list[str]:
    """Return the states of all claims."""
    results = open_store(f"{root}/results")
    return [json.loads(results.read(key)[0])["state"] for key in keys(results, "return/claims/")]


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_one_pass_works_on_all_that_is_finished_and_a_second_one_does_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    root = str(tmp_path) if kind == "local" else str(request.getfixturevalue("s3_root"))
    config, drops = configured(tmp_path, root), open_store(f"{root}/drops")
    write_drop(drops, "dt=1/", "rejected")
    write_drop(drops, "dt=2/")
    write_part(drops, "dt=3/")
    code, printed, log = once(config)
    assert (code, printed) == (3, "")
    assert {
        line["event"]: line.get("url") for line in log if line["event"] in ("drop_quarantined", "drop_waiting")
    } == {
        "drop_quarantined": f"{drops.url}dt=1/",
        "drop_waiting": f"{drops.url}dt=3/",
    }
    committed = [line for line in log if line["event"] == "run_committed"]
    assert [line["problem"] for line in committed] == ["return"]
    assert keys(drops, "dt=1/") == [f"dt=1/{MARKER}", f"dt=1/{PART}"]
    assert f"dt=2/{PART}" not in keys(drops)
    assert keys(drops, "dt=3/") == [f"dt=3/{PART}"]
    assert [record.error for record in read_all(open_store(f"{root}/results"), "return")] == ["MissingLabel"]
    if kind == "local":  # once is enough: a process takes seconds to start
        before = keys(open_store(f"{root}/results"))
        code, _, log = once(config)
        assert (code, [line["event"] for line in log]) == (0, ["drop_in_quarantine", "drop_waiting"])
        assert keys(open_store(f"{root}/results")) == before


def test_a_drop_is_found_as_soon_as_its_marker_is_written(tmp_path: Path, start: Start) -> None:
    drops = open_store(f"{tmp_path}/drops")
    write_part(drops, "dt=1/")
    service = start(configured(tmp_path, str(tmp_path), poll_seconds=3600, heartbeat=str(tmp_path / "heartbeat")))
    service.wait_for("drop_waiting")
    began = time.monotonic()
    write_drop(drops, "dt=1/")
    committed = service.wait_for("run_committed")
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    assert {"timestamp", "level", "problem", "drop_id", "run_id"} <= committed.keys()
    assert (tmp_path / "heartbeat").exists()
    service.end()
    assert service.process.returncode == 0
    assert service.events()[-1] == "service_stopped"


def test_a_signal_abandons_the_run_and_leaves_no_trace(tmp_path: Path, start: Start) -> None:
    drops = open_store(f"{tmp_path}/drops")
    write_drop(drops, "dt=1/", "slow")
    before = list(drops.list())
    service = start(configured(tmp_path, str(tmp_path)))
    service.wait_for("stage_finished")
    assert claims_of(str(tmp_path)) == ["held"]
    assert service.end() < 5.0
    assert service.process.returncode == 0
    (abandoned,) = [line for line in service.lines if line["event"] == "run_abandoned"]
    assert (abandoned["url"], "SIGTERM" in abandoned["reason"]) == (f"{drops.url}dt=1/", True)
    assert list(drops.list()) == before
    assert claims_of(str(tmp_path)) == ["released"]
    assert keys(open_store(f"{tmp_path}/results"), "return/runs/") == []


def test_a_run_that_does_not_listen_is_ended_all_the_same(tmp_path: Path, start: Start) -> None:
    drops = open_store(f"{tmp_path}/drops")
    write_drop(drops, "dt=1/", "stuck")
    before = list(drops.list())
    service = start(configured(tmp_path, str(tmp_path)))
    service.wait_for("stage_finished")
    assert service.end() < 10.0
    assert service.process.returncode == 0
    assert service.events()[-1] == "process_ended_in_haste"
    assert list(drops.list()) == before
    assert claims_of(str(tmp_path)) == ["released"]


def test_the_real_command_rejects_a_drop_without_its_label(tmp_path: Path) -> None:
    folder = tmp_path / "drops/dt=1"
    folder.mkdir(parents=True)
    pd.DataFrame({"user_id": range(50), "5_95": range(50)}).to_parquet(folder / PART, index=False)
    (folder / MARKER).touch()
    (tmp_path / "return.yaml").write_text(PROBLEM, encoding="utf-8")
    command = [sys.executable, "-m", "service.cli", "run", str(folder), "--problem", "return.yaml", "--results", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--json"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 3, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["status"], printed["error"]["class"]) == ("rejected", "MissingLabel")
    assert sorted(path.name for path in folder.iterdir()) == [MARKER, PART]
