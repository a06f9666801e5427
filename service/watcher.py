"""Looks at the drops of one problem: what is finished, settled and not done is worked on, all else is left alone.

A poll is one pass: sweep what a crash left, list, and go through the folders. It remembers what it has said, so that a
folder that waits for hours is one line in the log and not one per poll.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from service.exits import Exit, exit_code_of
from service.retry import RetryLater, Stop, what_follows
from service.unmarked import unmarked_folders
from service.worker import Report, Worker
from storage import Deletion, ObjectStore, StorageError
from storage.commits import collect_marker, is_done, sweep
from storage.drops import Declaration, DropFolder, SettleWindow, Snapshot, find_drops, snapshot, unfinished
from storage.errors import CorruptObject, DropIncomplete, ObjectChanged, ObjectMissing
from storage.orphans import collect_leftovers, collect_orphans
from storage.probe import probe
from storage.quarantine import is_quarantined
from storage.trash import empty_trash

HOUSEKEEPING_EVERY = 20  # polls between two looks for what can wait; each costs some listings


@dataclass(frozen=True, slots=True)
class Pass:
    """What one poll came to.

    Attributes:
        reports: of the drops that were worked on.
        errors: of the stores, beside the work on a drop.
        settle_seconds: when to look again at a drop that was seen for the first time; None if there is none.
        held_seconds: when to look again at a drop whose claim is held elsewhere, to learn whether its holder is alive;
            None if there is none.
    """

    reports: tuple[Report, ...] = ()
    errors: tuple[StorageError, ...] = ()
    settle_seconds: float | None = None
    held_seconds: float | None = None

    @property
    def exit_code(self) -> Exit:
        """The worst of all that happened."""
        of_stores = (exit_code_of(error, is_of_drop=False) for error in self.errors)
        return max((*(report.exit_code for report in self.reports), *of_stores), default=Exit.DONE)


class Watcher:
    """Watches one problem.

    Args:
        worker: works on its drops.
        open_store: opens the store with this URL.
        clock: a monotonic clock in seconds.
    """

    def __init__(self, worker: Worker, open_store: Callable[[str], ObjectStore], clock: Callable[[], float]) -> None:
        self.problem = worker.problem
        self._worker = worker
        self._stop = worker.stop
        self._log = worker.log
        self._open_store = open_store
        self._clock = clock
        self._declaration = Declaration.of_rule(worker.problem.complete.rule)
        self._window = SettleWindow()
        self._waited_for = SettleWindow()
        self._is_probed = False
        self._polls = 0
        self._said: dict[str, str] = {}
        self._known: set[str] = set()  # drops that were seen before
        self._done: set[str] = set()
        self._held_seconds: list[float] = []  # of this poll
        self._failures: dict[str, int] = {}  # by drop_id; "" is the problem itself
        self._not_before: dict[str, float] = {}

    def poll(self) -> Pass:
        """Make one pass; a store that fails is tried again later."""
        if self._stop.is_set or not self._is_due(""):
            return Pass()
        try:
            found = self._make_pass()
        except StorageError as error:
            self._postpone("", error)
            return Pass(errors=(error,))
        self._forget("")
        return found

    def _make_pass(self) -> Pass:
        if not self._is_probed:
            probe(self._worker.results)
            self._is_probed = True
        errors = self._sweep()
        self._held_seconds.clear()
        reports: list[Report] = []
        is_settling = False
        for folder in self._folders():
            try:
                is_settling |= self._look_at(folder, reports)
            except CorruptObject as error:  # a damaged control object concerns one drop, not the others
                self._say_damaged(folder.url, error)
                errors.append(error)
            except StorageError:
                raise
            except Exception as error:  # noqa: BLE001 - the outer boundary: one folder must not end the service
                self._log.debug("traceback_taken", exc_info=error)
                unknown = CorruptObject("look at", folder.url, repr(error), "Move it away, and report this")
                self._say_damaged(folder.url, unknown)
                errors.append(unknown)
        if self._polls % HOUSEKEEPING_EVERY == 0:
            self._name_unmarked()
            self._tidy(errors)
        self._polls += 1
        settle_seconds = self.problem.complete.unchanged_seconds if is_settling else None
        return Pass(tuple(reports), tuple(errors), settle_seconds, min(self._held_seconds, default=None))

    def _folders(self) -> list[DropFolder]:
        return find_drops(self._worker.drops, self._declaration, holds_tables=self.problem.holds_tables)

    def _look_at(self, folder: DropFolder, reports: list[Report]) -> bool:
        """Work on a folder if it is time; return whether it is a drop that was never seen like this."""
        drop = self._finished_drop(folder)
        if drop is None or self._stop.is_set:
            return False
        if self._is_new(drop):
            return True
        if self._has_settled(drop) and self._is_due(drop.drop_id) and (report := self._work_on(drop)):
            reports.append(report)
        return False

    def _sweep(self) -> list[StorageError]:
        """Finish what a crash left; a commit that cannot be finished does not hold up new drops."""
        try:
            for finished in sweep(self._worker.results, self.problem.problem, self._open_store):
                self._log.info("run_swept", run_id=finished.run_id, drop_id=finished.drop_id, status=finished.status)
        except StorageError as error:
            if self._is_news(error.key, str(error)):
                self._log.error("sweep_failed", error=type(error).__name__, found=str(error))
            return [error]
        return []

    def _finished_drop(self, folder: DropFolder) -> Snapshot | None:
        """Return the drop in a folder if there is work to do on it as far as one listing can tell."""
        try:
            drop = snapshot(folder)
        except (DropIncomplete, ObjectMissing, ObjectChanged) as error:
            self._wait_for(unfinished(folder), error)
            return None
        if self._is_done(drop):
            self._collect_marker(drop)
            return None
        if is_quarantined(self._worker.results, self.problem.problem, drop.drop_id):
            self._say_once("drop_in_quarantine", drop.url, drop_id=drop.drop_id)
            return None
        return drop

    def _wait_for(self, seen: Snapshot, error: StorageError) -> None:
        """Leave an unfinished folder to its writer; one in which nothing happens for long is put aside."""
        if is_quarantined(self._worker.results, self.problem.problem, seen.drop_id):
            self._say_once("drop_in_quarantine", seen.url, drop_id=seen.drop_id)
            return
        hours = self.problem.complete.give_up_hours
        if not self._waited_for.observe(seen, self._clock(), hours * 3600.0):
            self._say_once("drop_waiting", seen.url, reason=error.found)
            return
        self._waited_for.forget(seen)
        self._worker.put_aside(seen, error)
        told = {"error": type(error).__name__, "found": error.found, "unchanged_hours": hours}
        self._log.error("drop_quarantined", url=seen.url, drop_id=seen.drop_id, **told)

    def _is_done(self, drop: Snapshot) -> bool:
        if drop.drop_id not in self._done and is_done(self._worker.results, self.problem.problem, drop.drop_id):
            self._done.add(drop.drop_id)
        return drop.drop_id in self._done

    def _collect_marker(self, drop: Snapshot) -> None:
        now = datetime.now(UTC)
        worker = self._worker
        if collect_marker(worker.results, worker.drops, self.problem.problem, drop, now) is Deletion.DELETED:
            self._log.info("marker_collected", url=drop.url, drop_id=drop.drop_id)

    def _is_new(self, drop: Snapshot) -> bool:
        """Begin to watch a drop that was never seen like this."""
        if drop.drop_id in self._known:
            return False
        self._known.add(drop.drop_id)
        self._has_settled(drop)
        parts, size = len(drop.parts), sum(part.size for part in drop.parts)
        self._log.info("drop_found", drop_id=drop.drop_id, url=drop.url, parts=parts, bytes=size)
        return True

    def _has_settled(self, drop: Snapshot) -> bool:
        return self._window.observe(drop, self._clock(), self.problem.complete.unchanged_seconds)

    def _work_on(self, drop: Snapshot) -> Report | None:
        report = self._worker.work_on(drop, self._failures.get(drop.drop_id, 0))
        if report is None:
            self._say_once("claim_held_elsewhere", drop.url, drop_id=drop.drop_id)
            if (seconds := self._worker.claims.look_again_seconds(drop.drop_id)) is not None:
                self._held_seconds.append(seconds)
        elif report.error is not None and isinstance(report.decision, RetryLater | Stop):
            self._postpone(drop.drop_id, report.error)
        else:
            self._forget(drop.drop_id)
        return report

    def _postpone(self, what: str, error: Exception) -> None:
        """Note when a drop, or the whole problem (""), may be tried again; end the service if it never may."""
        self._failures[what] = self._failures.get(what, 0) + 1
        decision = what_follows(error, self._failures[what])
        seconds = decision.seconds if isinstance(decision, RetryLater) else 0.0
        self._not_before[what] = self._clock() + seconds
        event = "drop_postponed" if what else "store_failed"
        named = {"drop_id": what} if what else {"error": type(error).__name__, "found": str(error)}
        self._log.warning(event, retry_seconds=seconds, failures=self._failures[what], **named)
        if isinstance(decision, Stop):
            self._stop.set(str(error), error)

    def _forget(self, what: str) -> None:
        self._failures.pop(what, None)
        self._not_before.pop(what, None)

    def _is_due(self, what: str) -> bool:
        return self._clock() >= self._not_before.get(what, float("-inf"))

    def _name_unmarked(self) -> None:
        for url in unmarked_folders(self._worker.drops, self._declaration, holds_tables=self.problem.holds_tables):
            self._say_once("drop_waiting", url, reason=f"there is no {self._declaration.value} yet")

    def _tidy(self, errors: list[StorageError]) -> None:
        """Remove what nothing will use any more; a store that does not let us is no reason to stop."""
        results, problem, now = self._worker.results, self.problem.problem, datetime.now(UTC)
        try:
            orphans, in_trash = collect_orphans(results, problem, now), empty_trash(results, problem, now)
            leftovers = collect_leftovers(results, now)
        except StorageError as error:
            if self._is_news(error.key, str(error)):
                self._log.warning("tidying_failed", error=type(error).__name__, found=str(error))
            errors.append(error)
            return
        if orphans or in_trash or leftovers:
            self._log.info("tidied", orphan_attempts=len(orphans), trash=in_trash, leftovers=leftovers)

    def _say_once(self, event: str, url: str, **values: object) -> None:
        """Log something about a folder unless it was the last thing said about it."""
        if self._is_news(url, f"{event} {values}"):
            self._log.info(event, url=url, **values)

    def _say_damaged(self, url: str, error: CorruptObject) -> None:
        if self._is_news(url, str(error)):
            self._log.error("drop_left_alone", url=url, error=type(error).__name__, found=str(error))

    def _is_news(self, about: str, saying: str) -> bool:
        is_news = self._said.get(about) != saying
        self._said[about] = saying
        return is_news
