"""What the tests of the service share: places in both kinds of store, and a process whose logs are as they were."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from config import Problem, Settings, load_problem
from service.app import App
from service.progress import NoBars
from storage import ObjectStore, open_store
from tests.service.substitute import PROBLEM, small_run


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Undo what a command does to the loggers of this process."""
    root, handlers = logging.getLogger(), list(logging.getLogger().handlers)
    level = root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@dataclass
class Clock:
    """A clock that the test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


@dataclass(frozen=True)
class Home:
    """A problem in stores of its own, and the service that works on it."""

    file: Path
    problem: Problem
    drops: ObjectStore
    results: ObjectStore
    clock: Clock
    app: App


@pytest.fixture(params=["local", "s3"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Return a home in a folder, and one on a server."""
    root = str(tmp_path) if request.param == "local" else request.getfixturevalue("s3_root")
    return home_at(root, tmp_path)


@pytest.fixture
def local_home(tmp_path: Path) -> Home:
    """Return a home in a folder."""
    return home_at(str(tmp_path), tmp_path)


def home_at(root: str, folder: Path) -> Home:
    """Return a home below a URL; its problem file is in `folder`."""
    file = folder / "problem.yaml"
    file.write_text(PROBLEM, encoding="utf-8")
    places = {"drops": f"{root}/drops", "results": f"{root}/results", "complete": {"settle_seconds": 60.0}}
    problem = load_problem(file, places)
    clock = Clock()
    app = app_of(Settings(), clock)
    return Home(file, problem, open_store(problem.drops), open_store(problem.results), clock, app)


def app_of(settings: Settings, clock: Clock | None = None) -> App:
    """Return a composition root with the substitute for the work."""
    return App(settings=settings, run_drop=small_run, make_bars=NoBars, clock=clock or Clock())
