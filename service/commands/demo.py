"""`winnow demo`: a drop with planted truth, found by the service while it watches, and what came of it."""

import shlex
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config import ConfigError, Problem, Settings, load_problem, load_settings
from service.app import App
from service.commands.printing import out, print_failure, shown
from service.demonstration.generated import GENERATOR, generate
from service.demonstration.players import make_players
from service.demonstration.verdict import Truth, judge, mark
from service.demonstration.writing import WrittenDrop, write_parts
from service.exits import Exit, exit_code_of, failure_of
from service.logs import configure_logs, get_log
from service.places import location_of, usage_error
from service.results import RunResults, read_results
from service.schedule import serve
from service.stopping import run_stoppable
from service.tables import features_table, metrics_table, status_line
from service.watcher import Pass
from service.worker import Report
from storage import ObjectStore, open_store

EXAMPLES = Path(__file__).parents[1] / "examples"
RETURN = "return"  # the one example whose drop is made here, as wide as Spark would write it
SIGN = ".winnow-demo"  # stands in a folder that demonstrations may use
POLL_SECONDS = 1.0
SETTLE_SECONDS = 1.0
TOP = 30
ROWS, FEATURES = 20_000, 1_000  # of "return"


@dataclass(frozen=True, slots=True)
class Made:
    """A drop that was made.

    Attributes:
        drop: without its marker.
        truth: what was planted.
        best_auc: what nobody could surpass, where that is known.
    """

    drop: WrittenDrop
    truth: Truth
    best_auc: float | None


def execute(
    name: str = RETURN,
    folder: Path = Path("winnow-demo"),
    rows: int | None = None,
    features: int | None = None,
    produce: str | None = None,
    make_app: Callable[[Settings], App] | None = None,
) -> Exit:
    """Run a demonstration, or only write its drop.

    Args:
        name: of the example.
        folder: where everything is put.
        rows: users, or what else a row of the example is; as many as the example likes if None.
        features: sparse columns, of "return" only.
        produce: only write the drop to this URL.
        make_app: makes the composition root; the production one if None.
    """
    settings = load_settings().model_copy(update={"poll_seconds": POLL_SECONDS})
    configure_logs(settings.log)
    if name not in names():
        raise usage_error("NAME", f'"{name}"', "one of " + ", ".join(names()))
    if name != RETURN and features is not None:
        raise usage_error("--features", str(features), f"none: {name} has the columns that it has")

    def make(store: ObjectStore) -> Made:
        return _make(name, store, rows, features)

    if produce is not None:
        return _produce(location_of("--produce", produce), make)
    problem = _problem(name, folder)
    app = make_app(settings) if make_app else App(settings=settings)
    log = get_log()
    return run_stoppable(lambda: _demonstrate(app, problem, make), app.stop, app.held, log, exit_code=Exit.RUN_FAILED)


def names() -> list[str]:
    """Return the examples that can be demonstrated: those with a generator, and the one that is made here."""
    return sorted({RETURN, *(script.parent.name for script in EXAMPLES.glob(f"*/{GENERATOR}"))})


def _make(name: str, store: ObjectStore, rows: int | None, features: int | None) -> Made:
    """Write the drop of an example, without its marker."""
    if name != RETURN:
        out().print(f"Making the raw tables of {name} ...", markup=False)
        drop, known = generate(EXAMPLES / name / GENERATOR, store, rows)
        return Made(drop, known, None)
    n_rows, n_columns = rows or ROWS, features or FEATURES
    out().print(f"Making {n_rows:,} users with {n_columns:,} sparse columns ...", markup=False)
    players = make_players(n_rows, n_columns)
    return Made(write_parts(store, players), players.truth, players.best_auc)


def _produce(url: str, make: Callable[[ObjectStore], Made]) -> Exit:
    drop = make(open_store(url)).drop
    drop.close()
    out().print(f"The drop: {shown(drop.url)}\nThe truth: {shown(drop.truth_url)}", markup=False, soft_wrap=True)
    return Exit.DONE


def _problem(name: str, folder: Path) -> Problem:
    """Return the example's problem with its places in the folder of the demonstration.

    Raises:
        ConfigError: the folder is somebody else's.
    """
    _occupy(folder)
    overrides: dict[str, object] = {
        "drops": str(folder / "drops"),
        "results": str(folder / "results"),
        "complete": {"settle_seconds": SETTLE_SECONDS},
    }
    return load_problem(EXAMPLES / name / "problem.yaml", overrides)


def _occupy(folder: Path) -> None:
    try:
        if folder.exists() and not (folder / SIGN).exists() and any(folder.iterdir()):
            raise usage_error("--dir", f"{folder}, with files that no demonstration made", "a new or empty folder")
        (folder / "drops").mkdir(parents=True, exist_ok=True)
        (folder / SIGN).touch()
    except OSError as error:
        raise usage_error("--dir", f"{folder}: {error.strerror}", "a folder that can be written to") from error


def _demonstrate(app: App, problem: Problem, make: Callable[[ObjectStore], Made]) -> Exit:
    made = make(app.open_store(problem.drops))
    report = _watch_for(app, problem, made.drop)
    if report is None:
        app.stop.raise_if_set()
        return Exit.RUN_FAILED
    if report.outcome is None:
        error = report.error or ConfigError(())
        print_failure(failure_of(error), as_json=False)
        return exit_code_of(error)
    store = app.open_store(problem.results)
    _show(read_results(store, problem.problem, report.outcome.commit.run_id), made)
    quoted = shlex.quote(shown(store.url))
    out().print(f"The table again: winnow results {problem.problem} --results {quoted}", markup=False, soft_wrap=True)
    return Exit.DONE


def _watch_for(app: App, problem: Problem, drop: WrittenDrop) -> Report | None:
    """Let the service watch; when it has looked and found nothing, write the marker; return what came of the drop."""
    reports: list[Report] = []
    is_closed = threading.Event()

    def hear(seen: Pass) -> None:
        if not is_closed.is_set():
            is_closed.set()
            drop.close()
        reports.extend(report for report in seen.reports if report.drop.url == drop.url)
        if reports or seen.errors:
            app.stop.set("the demonstration is over", *seen.errors[:1])

    serve([app.watcher(problem)], app.settings, app.stop, app.log, hear)
    if app.stop.error is not None:
        raise app.stop.error
    return reports[0] if reports else None


def _show(results: RunResults, made: Made) -> None:
    console = out()
    console.print(metrics_table(results.metrics))
    if made.best_auc is not None:
        console.print(f"The best that anybody could do here: AUC {made.best_auc:.4f}", markup=False)
    marks = mark(made.truth, results.features["feature"])
    console.print(features_table(results.features, TOP, marks))
    console.print(status_line(results.features))
    console.print(str(judge(made.truth, results.features)), style="bold", markup=False)
    lines = (f"The truth:     {shown(made.drop.truth_url)}", f"All the files: {shown(results.url)}")
    console.print("\n".join(lines), markup=False, soft_wrap=True)
