"""What the design names but this version does not do yet: the one table of it.

The records of config/problem.py and config/settings.py allow only what is built. This table turns their refusal into
an answer: "not available yet", and what is available instead. Building a thing removes its row here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from config.document import KeyPath


@dataclass(frozen=True, slots=True)
class NotYet:
    """One thing that is not built yet.

    Attributes:
        key: as people write it, the same in a problem file and in winnow.yaml.
        applies: tells whether a refused value is the planned thing (and not a mistake).
        available: what can be said instead.
    """

    key: KeyPath
    applies: Callable[[object], bool]
    available: str


def _one_of(*planned: str) -> Callable[[object], bool]:
    return lambda value: value in planned


def _anything(value: object) -> bool:  # noqa: ARG001 - the signature of NotYet.applies
    return True


def _mapping(value: object) -> bool:
    return isinstance(value, Mapping)


NOT_YET = (
    NotYet(("complete", "expect_by"), _anything, "no alarm: leave it out"),
    NotYet(("complete", "timezone"), _anything, "no alarm: leave it out"),
    NotYet(("table", "numeric"), _anything, "rest; columns to be left out stand in table.ignore"),
    NotYet(("table", "time"), _mapping, "the name of one column"),
    NotYet(("engine",), _one_of("ray", "spark"), "local"),
    NotYet(("http",), _anything, "the command line: leave it out"),
    NotYet(("notify",), _anything, "the log: leave it out"),
)


def available_instead(path: KeyPath, value: object) -> str | None:
    """Return what is available instead of a refused value, or None when the value is simply wrong."""
    return next((row.available for row in NOT_YET if row.key == path and row.applies(value)), None)
