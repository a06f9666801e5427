"""Today's tenth of the mutants is caught; all of them can be applied."""

import pytest

from tests.architecture.tree import ROOT
from tests.reliability.mutants.mutants import MUTANTS, Mutant
from tests.reliability.rotation import require_tenth_of_the_day


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.guard)
def test_the_guard_stands_where_the_mutant_says(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1


def test_the_tenth_of_the_day_is_caught() -> None:
    require_tenth_of_the_day("mutants")
