"""Every state of the protocol's model keeps every promise; without any one guard a promise breaks."""

import pytest

from tests.reliability.model import GUARDS, SWEEP, search


def test_all_states_are_safe_and_none_is_hopeless() -> None:
    found = search()
    assert found.broken == ""
    assert found.hopeless == 0
    assert found.n_states > 10_000


@pytest.mark.parametrize("guard", sorted(GUARDS - {SWEEP}))
def test_without_a_guard_a_promise_breaks(guard: str) -> None:
    assert search(GUARDS - {guard}).broken != ""


def test_without_the_sweep_some_states_are_hopeless() -> None:
    assert search(GUARDS - {SWEEP}).hopeless > 0
