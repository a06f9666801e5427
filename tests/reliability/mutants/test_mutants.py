"""Today's tenth of the mutants is caught; all of them can be applied."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.mutants.mutants import MUTANTS, Mutant
from tests.reliability.rotation import tenth_of_the_day

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.guard)
def test_the_guard_stands_where_the_mutant_says(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1


def test_the_tenth_of_the_day_is_caught() -> None:
    command = [sys.executable, "-m", "tests.reliability.mutants", "--tenth", str(tenth_of_the_day())]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
