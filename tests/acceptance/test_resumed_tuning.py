"""A run that is killed in the middle of its search: the next attempt goes on with the trials that had ended."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from tests.architecture.tree import ROOT

PROBLEM = """\
problem: tuned
drops: drops/
results: results/
complete: {settle_seconds: 0}
table: {id: user, label: y}
net: {d_block: 16, n_blocks: 1, epochs: 12}
tune: {trials: 14}
explain: {rows: 50, background: 4}
"""
WINNOW = [str(Path(sys.executable).parent / "winnow"), "run"]
ENVIRONMENT = {"WINNOW_CLAIM_TTL_SECONDS": "2"}
PATIENCE_SECONDS = 120.0


def test_trials_that_ended_before_a_kill_are_not_done_again(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    X = random.poisson(0.4, (6000, 12))
    y = random.random(6000) < 1 / (1 + np.exp(2 - 1.5 * X[:, 0] - X[:, 1]))
    drop = tmp_path / "drops" / "day=1"
    drop.mkdir(parents=True)
    table = pd.DataFrame(X, columns=[f"c{k}" for k in range(12)]).assign(user=np.arange(6000), y=y.astype(int))
    table.to_parquet(drop / "part-0.parquet")
    (drop / "_SUCCESS").touch()
    problem = tmp_path / "problem.yaml"
    problem.write_text(PROBLEM)
    command = [*WINNOW, str(drop), "--problem", str(problem), "--results", str(tmp_path / "results"), "--json"]
    first = subprocess.Popen(command, env=os.environ | ENVIRONMENT, cwd=ROOT, stdout=-1, stderr=-1)
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := list(tmp_path.glob("results/tuned/runs/*/trials.json"))) or len(read(found[0])) < 3:
        assert first.poll() is None, "it ended before it was killed"
        assert time.monotonic() < until
        time.sleep(0.01)
    first.kill()
    first.communicate()
    ended = read(found[0])
    assert 3 <= len(ended) < 14
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    run = found[0].parent
    (described,) = run.glob("attempt-*/run.json")
    trials = json.loads(described.read_text())["training"]["trials"]
    assert len(trials) == 14
    assert trials[: len(ended)] == ended  # to the last digit of the seconds that they took
    assert not found[0].exists()
    assert (run / "COMMIT.json").exists()


def read(path: Path) -> list[dict[str, object]]:
    """Return the trials of a journal, as they stand now."""
    return json.loads(path.read_text())
