"""Computation on one thread, as every net has it, unless a test chooses otherwise."""

from collections.abc import Iterator

import pytest

from jobs.net.threads import compute_on


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    compute_on(1)
    yield
    compute_on(1)
