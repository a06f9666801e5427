"""How the service listens to the work on one drop: it logs, moves the bars, and says when to stop."""

from jobs.errors import Abandoned
from service.logs import Log, log_facts
from service.progress import Bars
from service.stopping import StopFlag


class RunObserver:
    """The observer of one run.

    Args:
        stop: ends all work of the process.
        log: carries the problem and the drop.
        bars: what a person sees.
    """

    def __init__(self, stop: StopFlag, log: Log, bars: Bars) -> None:
        self._stop = stop
        self._log = log
        self._bars = bars
        self._is_claim_lost = False

    def claim_lost(self) -> None:
        """End this run only; called by the thread that keeps the claim alive."""
        self._is_claim_lost = True

    def stage_started(self, stage: str, total: int, unit: str) -> None:
        """Show a bar for the stage."""
        self._go_on()
        self._bars.begin(stage, total, unit)

    def advanced(self, steps: int) -> None:
        """Move the bar."""
        self._go_on()
        self._bars.advance(steps)

    def stage_finished(self, stage: str, seconds: float, facts: dict[str, object]) -> None:
        """Log the stage with its facts."""
        log_facts(self._log, "stage_finished", facts, stage=stage, seconds=round(seconds, 3))
        self._go_on()

    def _go_on(self) -> None:
        self._stop.raise_if_set()
        if self._is_claim_lost:
            raise Abandoned("the work was abandoned: another worker owns the drop now")
