"""The commands, one file each. `call` runs one; what goes wrong becomes one clear block and an exit code."""

from importlib import import_module

from config import ConfigError, LogSettings
from jobs.errors import JobError
from service.commands.printing import print_failure
from service.exits import failure_of
from service.logs import configure_logs, get_log
from storage import StorageError

_MODULES = {
    "quarantine_list": ("quarantine", "list_aside"),
    "quarantine_show": ("quarantine", "show"),
    "quarantine_release": ("quarantine", "release"),
}


def call(command: str, *, as_json: bool = False, **options: object) -> int:
    """Run a command.

    Args:
        command: its name.
        as_json: whether its result, or its failure, is JSON on stdout.
        options: of the command.

    Returns:
        The exit code.
    """
    configure_logs(LogSettings())  # until the command knows its settings: a fault in these is told by the same rules
    module, function = _MODULES.get(command, (command, "execute"))
    work = getattr(import_module(f"service.commands.{module}"), function)
    given = {"as_json": True, **options} if as_json else options
    try:
        return int(work(**given))
    except (ConfigError, StorageError, JobError) as error:
        get_log().debug("traceback_taken", exc_info=error)
        failure = failure_of(error, is_of_drop=False)
        print_failure(failure, as_json=as_json)
        return int(failure.exit_code)
