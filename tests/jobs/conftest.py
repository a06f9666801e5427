"""Computation on two threads unless a test chooses otherwise, as a run on a small machine would have it."""

from collections.abc import Iterator

import pytest

from jobs.net.threads import compute_on


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    compute_on(2)
    yield
    compute_on(2)
