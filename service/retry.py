"""The only place that says what follows from an error. An error says what happened; nothing else here knows why.

InputRejected, CorruptObject, SchemaConflict                            Quarantine
ObjectChanged, ObjectMissing, DropIncomplete, ClaimLost, Abandoned      LeaveAlone: what is there is found again
StorageUnavailable                                                      RetryLater, ever later, two minutes at most
AccessDenied                                                            RetryLater, slowly: an operator has to act
UnsafeStore                                                             Stop
anything else, TrainingFailed too                                       RetryLater twice, then Quarantine
"""

from dataclasses import dataclass

from jobs.errors import Abandoned, InputRejected, OutOfMemory
from storage.errors import (
    AccessDenied,
    ClaimLost,
    CorruptObject,
    DropIncomplete,
    ObjectChanged,
    ObjectMissing,
    SchemaConflict,
    StorageUnavailable,
    UnsafeStore,
)

FIRST_DELAY_SECONDS = 15.0
LONGEST_DELAY_SECONDS = 1800.0
LONGEST_OUTAGE_DELAY_SECONDS = 120.0  # a store is back for all drops at once, and asking it costs nothing
DENIED_DELAY_SECONDS = 600.0
TRIES = 3


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Put the drop aside: it will not become better by itself."""


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Try again, not sooner than in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LeaveAlone:
    """Do nothing: the next listing shows what there is to do."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the service: going on could do harm."""


Decision = Quarantine | RetryLater | LeaveAlone | Stop


def what_follows(error: Exception, failures: int) -> Decision:
    """Decide what to do after an error.

    Args:
        error: what happened.
        failures: how often the same work has failed so far, this time included; at least 1.
    """
    match error:
        case InputRejected() | CorruptObject() | SchemaConflict() | OutOfMemory():  # it would be so every time
            return Quarantine()
        case ObjectChanged() | ObjectMissing() | DropIncomplete() | ClaimLost() | Abandoned():
            return LeaveAlone()
        case StorageUnavailable():
            return RetryLater(min(_growing_delay(failures), LONGEST_OUTAGE_DELAY_SECONDS))
        case AccessDenied():
            return RetryLater(DENIED_DELAY_SECONDS)
        case UnsafeStore():
            return Stop()
        case _:
            return RetryLater(_growing_delay(failures)) if failures < TRIES else Quarantine()


def _growing_delay(failures: int) -> float:
    """Return 15, 30, 60, ... seconds; the exponent is bounded, so that it cannot overflow."""
    return min(FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 16), LONGEST_DELAY_SECONDS)
