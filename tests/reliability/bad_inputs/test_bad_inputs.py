"""Today's tenth of the bad inputs ends as it must."""

import subprocess
import sys
from pathlib import Path

from tests.reliability.bad_inputs.catalogue import CASES
from tests.reliability.rotation import tenth_of_the_day

ROOT = Path(__file__).parents[3]


def test_there_are_more_than_two_hundred_each_once() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 200


def test_the_tenth_of_the_day_ends_as_it_must() -> None:
    command = [sys.executable, "-m", "tests.reliability.bad_inputs", "--tenth", str(tenth_of_the_day())]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
