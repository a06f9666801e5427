"""`winnow watch`: the service, or one pass of it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from config import Problem, Service, Settings, load_service
from service.app import App
from service.exits import Exit
from service.logs import configure_logs, get_log
from service.places import DEFAULT_CONFIG
from service.schedule import pass_once, serve
from service.stopping import run_stoppable
from service.watcher import Watcher
from storage import StorageError


def execute(
    config: Path | None = None, *, once: bool = False, make_app: Callable[[Settings], App] | None = None
) -> Exit:
    """Watch all problems of a configuration.

    Args:
        config: winnow.yaml.
        once: make one pass and end.
        make_app: makes the composition root; the production one if None.

    Raises:
        StorageError: the error that ended the service, where going on could do harm.
    """
    service = load_service(config or DEFAULT_CONFIG)
    configure_logs(service.settings.log)
    app = make_app(service.settings) if make_app else App(settings=service.settings)
    return run_stoppable(lambda: _watch(app, service, once=once), app.stop, app.held, get_log(), exit_code=Exit.DONE)


def _watch(app: App, service: Service, *, once: bool) -> Exit:
    watchers = _openable(app, service.problems)
    worst = Exit.DONE
    if once:
        left_out = Exit.STORE_FAILED if len(watchers) < len(service.problems) else Exit.DONE
        worst = max(left_out, pass_once(watchers, app.stop))
    else:
        serve(watchers, app.settings, app.stop, app.log)
    if app.stop.error is not None:
        raise app.stop.error
    return worst


def _openable(app: App, problems: Sequence[Problem]) -> list[Watcher]:
    """Return a watcher for every problem whose stores can be opened: the others do not stop it.

    Raises:
        StorageError: none can be.
    """
    watchers: list[Watcher] = []
    errors: dict[str, StorageError] = {}
    for problem in problems:
        try:
            watchers.append(app.watcher(problem))
        except StorageError as error:
            errors[problem.problem] = error
    if errors and not watchers:
        raise next(iter(errors.values()))
    for name, error in errors.items():
        app.log.error("problem_left_out", problem=name, error=type(error).__name__, found=str(error))
    return watchers
