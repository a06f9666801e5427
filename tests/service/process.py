"""The service as a process, with the substitute for the work: python -m tests.service.process CONFIG [--once]."""

import sys
from pathlib import Path

from config import Settings
from service.app import App
from service.commands import call
from tests.service.substitute import small_run


def make_app(settings: Settings) -> App:
    """Return the composition root with the substitute."""
    return App(settings=settings, run_drop=small_run)


if __name__ == "__main__":
    sys.exit(call("watch", config=Path(sys.argv[1]), once="--once" in sys.argv, make_app=make_app))
