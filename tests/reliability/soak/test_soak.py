"""A minute of the soak: nothing lost while the store was gone, nothing grown."""

from tests.reliability.rotation import require_proof


def test_a_minute_with_half_a_minute_without_a_store() -> None:
    require_proof("soak", "--minutes", "0.6", "--outage-minutes", "0.5", "--interval", "2")
