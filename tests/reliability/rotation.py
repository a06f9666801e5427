"""Which tenth of a slow proof runs with the tests: another one every day, all of them in ten days."""

from datetime import UTC, datetime

TENTHS = 10


def tenth_of_the_day() -> int:
    """Return the number of today's tenth, 0 to 9."""
    return datetime.now(UTC).toordinal() % TENTHS
