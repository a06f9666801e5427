"""Works on one drop: claim it, run it, and do what service/retry.py says about an error.

The outer boundary of the work: whatever goes wrong with one drop, the service goes on with the next.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from config import Problem
from jobs.errors import Abandoned
from jobs.observer import Observer
from jobs.work import Outcome, Work
from service.exits import Exit, exit_code_of, failure_of
from service.logs import Log
from service.observing import RunObserver
from service.progress import Bars
from service.reruns import answering_run
from service.retry import Decision, LeaveAlone, Quarantine, what_follows
from service.stopping import HeldClaims, StopFlag
from storage import ObjectStore
from storage.claims import Claim, Claims
from storage.commits import is_done
from storage.drops import Snapshot
from storage.quarantine import put_aside

RunDrop = Callable[[Work, Observer], Outcome]


class Status(StrEnum):
    """How the work on a drop ended."""

    COMMITTED = "committed"
    ALREADY_DONE = "already_done"
    REJECTED = "rejected"
    FAILED = "failed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Report:
    """The end of the work on one drop.

    Attributes:
        drop: on what.
        status: how it ended.
        outcome: the run, if there is one.
        error: what went wrong.
        decision: what follows from the error.
    """

    drop: Snapshot
    status: Status
    outcome: Outcome | None = None
    error: Exception | None = None
    decision: Decision | None = None

    @property
    def exit_code(self) -> Exit:
        """What this means for the exit code of a pass: a drop that is left alone is no failure."""
        if self.error is None or isinstance(self.decision, LeaveAlone):
            return Exit.DONE
        return exit_code_of(self.error)


@dataclass(frozen=True, slots=True)
class Worker:
    """Works on the drops of one problem, one at a time.

    Attributes:
        problem: what is asked.
        drops: where the drops are.
        results: where the results go.
        claims: of this worker on the drops of the problem.
        run_drop: the work itself.
        stop: ends all work of the process.
        held: the claims that the process holds.
        make_bars: makes the progress bars of a run.
        log: carries the problem.
        threads: cores that a run may use.
        max_memory: bytes that a run may use.
    """

    problem: Problem
    drops: ObjectStore
    results: ObjectStore
    claims: Claims
    run_drop: RunDrop
    stop: StopFlag
    held: HeldClaims
    make_bars: Callable[[], Bars]
    log: Log
    threads: int
    max_memory: int

    def work_on(self, drop: Snapshot, earlier_failures: int = 0, *, is_asked_for: bool = False) -> Report | None:
        """Work on a drop.

        Args:
            drop: a finished drop.
            earlier_failures: how often the work on it has failed before.
            is_asked_for: whether a person named it: then a run under another problem or code does not count as done.

        Returns:
            How it ended; None where another worker is at it.

        Raises:
            StorageError: the claim or the quarantine could not be read or written.
        """
        log = self.log.bind(drop_id=drop.drop_id)
        claim = self.claims.take(drop.drop_id)
        if claim is None:
            return None
        self.held.add(claim)
        log.info("claim_taken", fence=claim.fence)
        try:
            if self.is_answered(drop, is_asked_for=is_asked_for):  # since we looked, and before we claimed it
                return Report(drop, Status.ALREADY_DONE)
            return self._run(drop, claim, log, earlier_failures)
        finally:
            self.held.release(claim)
            log.debug("claim_released")

    def is_answered(self, drop: Snapshot, *, is_asked_for: bool) -> bool:
        """Tell whether there is nothing to do for a drop."""
        if is_asked_for:
            return answering_run(self.results, self.problem, drop) is not None
        return is_done(self.results, self.problem.problem, drop.drop_id)

    def _run(self, drop: Snapshot, claim: Claim, log: Log, earlier_failures: int) -> Report:
        work = Work(self.problem, drop, self.drops, self.results, claim.fence, self.threads, self.max_memory)
        bars = self.make_bars()
        observer = RunObserver(self.stop, log, bars)
        try:
            with claim.kept_alive(observer.claim_lost), bars:
                outcome = self.run_drop(work, observer)
        except Exception as error:  # noqa: BLE001 - the outer boundary: one drop must not end the service
            return self._failed(drop, error, log, earlier_failures)
        _log_outcome(log.bind(run_id=outcome.commit.run_id), outcome, self.results.url)
        return Report(drop, Status.COMMITTED, outcome)

    def _failed(self, drop: Snapshot, error: Exception, log: Log, earlier_failures: int) -> Report:
        log.debug("traceback_taken", exc_info=error)
        if isinstance(error, Abandoned):
            log.warning("run_abandoned", reason=str(error), url=drop.url)
            return Report(drop, Status.ABANDONED, error=error, decision=LeaveAlone())
        decision = what_follows(error, earlier_failures + 1)
        failure = failure_of(error)
        status = Status.REJECTED if failure.exit_code == Exit.REJECTED else Status.FAILED
        told = {"url": drop.url, "error": failure.error, "found": failure.found, "hint": failure.hint}
        if isinstance(decision, Quarantine):
            self.put_aside(drop, error)
            log.error("drop_quarantined", **told)
        elif isinstance(decision, LeaveAlone):
            log.warning("drop_left_alone", **told)
        else:
            log.error("run_failed", **told)
        return Report(drop, status, error=error, decision=decision)

    def put_aside(self, drop: Snapshot, error: Exception) -> None:
        """Put a drop into quarantine, with the reason."""
        put_aside(
            self.results,
            self.problem.problem,
            drop,
            error=type(error).__name__,
            message=str(error),
            found_at=datetime.now(UTC),
        )


def _log_outcome(log: Log, outcome: Outcome, results_url: str) -> None:
    log.info("run_committed", url=results_url + outcome.commit.attempt, is_new=outcome.is_new)
    finished = outcome.finished
    if finished.status == "inputs_retained":
        log.warning("inputs_retained", denied=len(finished.denied), hint="Give the service the right to delete them")
    elif finished.status == "inputs_kept":
        log.info("inputs_kept")
    else:
        log.info("inputs_deleted", objects=len(finished.deleted), gone=len(finished.gone), left=len(finished.left))
