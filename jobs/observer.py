"""How a job tells what it is doing, and learns that it should stop."""

from typing import Protocol


class Observer(Protocol):
    """Hears of every stage of a job. Any call may raise `jobs.errors.Abandoned`: the job then ends without a trace."""

    def stage_started(self, stage: str, total: int, unit: str) -> None:
        """A stage begins; `total` steps of `unit` are ahead ("rows", "epochs"), 0 if that is not known."""
        ...

    def advanced(self, steps: int) -> None:
        """So many steps of the current stage are done. May be called from several threads."""
        ...

    def stage_finished(self, stage: str, seconds: float, facts: dict[str, object]) -> None:
        """A stage ended; `facts` are what is worth a line in the log."""
        ...


class Silent:
    """An observer that does nothing."""

    def stage_started(self, stage: str, total: int, unit: str) -> None:
        """Do nothing."""

    def advanced(self, steps: int) -> None:
        """Do nothing."""

    def stage_finished(self, stage: str, seconds: float, facts: dict[str, object]) -> None:
        """Do nothing."""
