"""Today's tenth of the bad inputs ends as it must."""

from tests.reliability.bad_inputs.catalogue import CASES
from tests.reliability.rotation import require_tenth_of_the_day


def test_there_are_more_than_two_hundred_each_once() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 200


def test_the_tenth_of_the_day_ends_as_it_must() -> None:
    require_tenth_of_the_day("bad_inputs")
