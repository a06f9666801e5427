"""Logs: events in the past tense with keys, to stderr; for people on a terminal, as JSON lines for everybody else.

Results go to stdout, so a log never mixes with what another program reads. Other libraries' loggers and Python's own
warnings come in the same form, from warnings on.
"""

import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from config import LogSettings
from storage.s3_errors import without_secrets

Log = structlog.typing.FilteringBoundLogger

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _CurrentStderr:
    """Whatever is stderr now: progress bars put a file of their own there, so that lines appear above them."""

    def write(self, text: str) -> int:
        """Write to it."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush it."""
        sys.stderr.flush()


def configure_logs(settings: LogSettings) -> None:
    """Send all logs of this process to stderr in the form that the settings ask for."""
    is_console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    level = _LEVELS[settings.level]
    described: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_console else "iso", utc=not is_console),
    ]
    ending = _for_people() if is_console else _for_programs()
    structlog.configure(
        processors=[*described, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=_CurrentStderr()),  # pyright: ignore[reportArgumentType]
        cache_logger_on_first_use=False,
    )
    _adopt_others(described, ending)


def get_log(**values: object) -> Log:
    """Return a log whose every line carries `values`."""
    return structlog.get_logger(**values)


def log_facts(log: Log, event: str, facts: Mapping[str, object], **values: object) -> None:
    """Log an event with facts that come from elsewhere and may be called anything."""
    log.info(event, **{**{key: fact for key, fact in facts.items() if key != "event"}, **values})


def _for_people() -> list[Processor]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), pad_event_to=22, sort_keys=False, exception_formatter=_write_traceback
    )
    return [renderer]


def _for_programs() -> list[Processor]:
    formatted = structlog.processors.ExceptionRenderer(_traceback_of)
    return [_event_first, formatted, structlog.processors.JSONRenderer(default=str)]


def _traceback_of(exc_info: ExcInfo) -> str:
    """Return a traceback without the passwords that other libraries' errors quote."""
    return without_secrets("".join(traceback.format_exception(*exc_info))).rstrip()


def _write_traceback(file: TextIO, exc_info: ExcInfo) -> None:
    file.write("\n" + _traceback_of(exc_info))


def _event_first(logger: Any, method: str, event: EventDict) -> EventDict:  # noqa: ANN401, ARG001 - structlog's signature
    first = {key: event.pop(key) for key in ("timestamp", "level", "event") if key in event}
    return {**first, **event}


def _adopt_others(described: list[Processor], ending: list[Processor]) -> None:
    """Give the loggers of libraries the same form, and nothing below a warning."""
    handler = logging.StreamHandler(_CurrentStderr())
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    name = structlog.stdlib.add_logger_name
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[name, *described], processors=[remove, *ending])
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    # A poll that falls due during a run is skipped, which is what it should be: no warning each time.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
