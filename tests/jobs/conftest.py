"""Computation on one thread, as every net has it, unless a test chooses otherwise."""

from collections.abc import Iterator

import pytest

from jobs.data.dataset import Dataset
from jobs.learn import Learned
from jobs.net.threads import compute_on
from jobs.stages import Stages
from tests.jobs.mixed_drop import learn_quietly, mixed_dataset, mixed_problem


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    compute_on(1)
    yield
    compute_on(1)


@pytest.fixture(scope="session")
def mixed_run() -> tuple[Dataset, Learned, Stages]:
    """Return a drop with a column of every fate, and what was learned from it."""
    data = mixed_dataset()
    return data, *learn_quietly(data, mixed_problem())
