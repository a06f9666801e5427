"""`winnow run`: one drop, now, in the foreground."""

from collections.abc import Callable
from pathlib import Path

from config import Problem, Settings, load_problem, load_settings
from service.app import App
from service.commands.printing import out, print_failure, print_json, shown
from service.commands.showing import show_run
from service.exits import Exit, exit_code_of, failure_of
from service.logs import configure_logs, get_log
from service.places import location_of
from service.reruns import answering_run, were_inputs_kept
from service.results import read_results
from service.stopping import run_stoppable
from service.worker import Report, Status, Worker
from storage import ObjectStore
from storage.committed import run_of_drop
from storage.drops import Declaration, Snapshot, snapshot_at
from storage.errors import DropIncomplete, ObjectChanged, ObjectMissing
from storage.probe import probe
from storage.quarantine import release

CLAIM_LOOK_SECONDS = 5.0
_TAKEN = "another run holds this drop; if it was killed, {} seconds after its last sign of life this one goes on"
KEPT = "The inputs were kept by the earlier run, and stay: remove them yourself"


def execute(
    drop: str,
    problem: Path,
    results: str,
    *,
    keep_inputs: bool = False,
    as_json: bool = False,
    make_app: Callable[[Settings], App] | None = None,
) -> Exit:
    """Work on one drop and print its table.

    Args:
        drop: its folder.
        problem: the problem file; its `drops` and `results` do not count.
        results: where the results go.
        keep_inputs: delete nothing, whatever the problem says.
        as_json: print one JSON object.
        make_app: makes the composition root; the production one if None.
    """
    settings = load_settings()
    configure_logs(settings.log)
    overrides: dict[str, object] = {"drops": location_of("DROP", drop), "results": location_of("--results", results)}
    asked = load_problem(problem, {**overrides, "keep_inputs": True} if keep_inputs else overrides)
    app = make_app(settings) if make_app else App(settings=settings)
    report = run_stoppable(lambda: _work_on(app, asked), app.stop, app.held, get_log(), exit_code=Exit.RUN_FAILED)
    return _end(app, asked, report, as_json=as_json)


def store_and_folder(location: str) -> tuple[str, str]:
    """Return the store above a folder, and the folder in it; a whole bucket is both.

    The store is not the folder itself: a local store keeps its root, and this folder shall go with its last file.
    """
    above, _, name = location.rstrip("/").rpartition("/")
    return (location, "") if not name or above == "s3:/" else (f"{above}/", f"{name}/")


def _work_on(app: App, problem: Problem) -> Report:
    root, folder = store_and_folder(problem.drops)
    worker = app.worker(problem, drops=app.open_store(root))
    drop = drop_at(worker.drops, folder, problem)
    probe(worker.results)
    if worker.is_answered(drop, is_asked_for=True):
        return Report(drop, Status.ALREADY_DONE)
    # Who asks for a drop by name wants it tried again; if it fails again, the reason is the new one.
    release(worker.results, problem.problem, drop.drop_id)
    return _work_when_free(app, worker, drop)


def drop_at(store: ObjectStore, folder: str, problem: Problem) -> Snapshot:
    """Take the snapshot of the drop; whatever is wrong with it is a fault of the input, not of the store.

    Raises:
        DropIncomplete: there is no finished drop.
    """
    declaration = Declaration.of_rule(problem.complete.rule)
    try:
        if next(store.list(folder), None) is None:
            hint = f"Name the folder that the writer made, with {declaration.value} in it"
            raise DropIncomplete("run", store.url + folder, "there is nothing there", hint)
        return snapshot_at(store, folder, declaration, holds_tables=problem.holds_tables)
    except (ObjectMissing, ObjectChanged) as error:  # it changed while we looked
        raise DropIncomplete(error.operation, error.key, error.found, error.hint) from error


def _work_when_free(app: App, worker: Worker, drop: Snapshot) -> Report:
    """Work on a drop as soon as no other worker holds it: one that is dead is found out after the claim's ttl."""
    while (report := worker.work_on(drop, is_asked_for=True)) is None:
        worker.log.info("claim_waited_for", drop_id=drop.drop_id, hint=_TAKEN.format(app.settings.claim_ttl_seconds))
        app.stop.wait(min(CLAIM_LOOK_SECONDS, app.settings.claim_ttl_seconds))
        app.stop.raise_if_set()
    return report


def _end(app: App, problem: Problem, report: Report, *, as_json: bool) -> Exit:
    """Print how the run ended."""
    if report.error is not None:
        failure = failure_of(report.error)
        if as_json:
            print_json({"run_id": None, "drop_id": report.drop.drop_id, "status": report.status, **failure.to_json()})
        else:
            print_failure(failure, as_json=False)
        return exit_code_of(report.error)
    store = app.open_store(problem.results)
    run_id = report.outcome.commit.run_id if report.outcome else _earlier_run(store, problem, report.drop)
    if report.status is Status.ALREADY_DONE and not as_json:
        out().print(f"This drop is done already: {shown(report.drop.url)}", markup=False, soft_wrap=True)
    show_run(read_results(store, problem.problem, run_id), report.status, as_json=as_json)
    if report.status is Status.ALREADY_DONE and report.drop.parts and were_inputs_kept(store, problem, run_id):
        _say_kept(report.drop, run_id, as_json=as_json)
    return Exit.DONE


def _earlier_run(store: ObjectStore, problem: Problem, drop: Snapshot) -> str:
    return answering_run(store, problem, drop) or run_of_drop(store, problem.problem, drop.drop_id)


def _say_kept(drop: Snapshot, run_id: str, *, as_json: bool) -> None:
    """Say why inputs are still there although they are not to be kept; beside JSON it goes to the log."""
    if as_json:
        get_log().warning("inputs_kept", url=drop.url, run_id=run_id, hint=KEPT)
    else:
        out().print(f"{KEPT}: {shown(drop.url)}", markup=False, soft_wrap=True)
