"""A tenth of the load: every good drop once, poison aside, nothing leaked."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_fifty_drops_and_three_replicas() -> None:
    command = [sys.executable, "-m", "tests.reliability.load", "--drops", "50"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
