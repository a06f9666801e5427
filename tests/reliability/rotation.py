"""Which tenth of a slow proof runs with the tests: another one every day, all of them in ten days."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from tests.architecture.tree import ROOT

TENTHS = 10
T = TypeVar("T")


def tenth_of_the_day() -> int:
    """Return the number of today's tenth, 0 to 9."""
    return datetime.now(UTC).toordinal() % TENTHS


def tenth_of(everything: Sequence[T], tenth: int | None) -> Sequence[T]:
    """Return every tenth of a proof's cases, from the one with this number on; all of them for None."""
    return everything if tenth is None else everything[tenth::TENTHS]


def require_proof(name: str, *options: str) -> None:
    """Run a proof as `make` does, and fail with what it said where it does not hold.

    Args:
        name: of its package below tests/reliability.
        options: of its command line.
    """
    command = [sys.executable, "-m", f"tests.reliability.{name}", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]


def require_tenth_of_the_day(name: str, *options: str) -> None:
    """Run today's tenth of a proof; see `require_proof`."""
    require_proof(name, *options, "--tenth", str(tenth_of_the_day()))
