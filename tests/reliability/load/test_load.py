"""A tenth of the load: every good drop once, poison aside, nothing leaked."""

from tests.reliability.rotation import require_proof


def test_fifty_drops_and_three_replicas() -> None:
    require_proof("load", "--drops", "50")
