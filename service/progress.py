"""Progress bars on a terminal, on stderr; nothing anywhere else."""

import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_SAYINGS = {
    ("prepare", "rows"): "rows prepared",
    ("read", "rows"): "rows read",
    ("prune", "columns"): "columns pruned",
    ("linear", "models"): "linear models fitted",
    ("train", "epochs"): "epochs trained",
    ("evidence", "folds"): "folds of evidence",
    ("explain", "rows"): "rows explained",
    ("publish", "files"): "files published",
    ("score", "rows"): "rows scored",
}


class Bars(Protocol):
    """What is shown of the work on one drop while the context lasts."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take everything away."""
        ...

    def begin(self, stage: str, total: int, unit: str) -> None:
        """Show a new stage; a total of 0 is unknown."""
        ...

    def advance(self, steps: int) -> None:
        """Move the bar of the current stage."""
        ...


class NoBars:
    """Shows nothing."""

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing."""

    def begin(self, stage: str, total: int, unit: str) -> None:
        """Do nothing."""

    def advance(self, steps: int) -> None:
        """Do nothing."""


class TerminalBars:
    """One bar for the stage at hand; the log says what is behind."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._stage: TaskID | None = None

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take everything away."""
        self._progress.stop()

    def begin(self, stage: str, total: int, unit: str) -> None:
        """Show a new stage."""
        if self._stage is not None:
            self._progress.remove_task(self._stage)
        saying = _SAYINGS.get((stage, unit), f"{stage}: {unit}")
        self._stage = self._progress.add_task(saying, total=total or None)

    def advance(self, steps: int) -> None:
        """Move the bar of the current stage."""
        if self._stage is not None:
            self._progress.advance(self._stage, steps)


def make_bars() -> Bars:
    """Return bars for a terminal, or none."""
    return TerminalBars() if sys.stderr.isatty() else NoBars()
