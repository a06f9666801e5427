"""`winnow serve`: predictions over HTTP. Needs the extra winnow[serve]."""

import time
from pathlib import Path

from config import load_settings
from config.machine import usable_cores
from service.exits import Exit
from service.logs import configure_logs, get_log
from service.models import Models
from service.places import find_places, usage_error


def execute(
    problem: str | None = None,
    config: Path | None = None,
    results: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
) -> Exit:
    """Serve until a signal comes.

    Raises:
        ConfigError: the options name no results, or the extra is not installed.
    """
    settings = load_settings()
    configure_logs(settings.log)
    try:
        import uvicorn  # noqa: PLC0415 - an extra: not everyone has it

        from service.web import make_web  # noqa: PLC0415 - the same
    except ImportError as error:
        raise usage_error("serve", "no FastAPI here", "pip install 'winnow[serve]'") from error
    log = get_log()
    models = Models(find_places(problem, config, results), log, time.monotonic)
    log.info("serving", problems=models.problems, url=f"http://{host}:{port}")
    uvicorn.run(make_web(models, settings.threads or usable_cores()), host=host, port=port, log_level="warning")
    return Exit.DONE
