"""`winnow results`: the table of a run in the terminal."""

from pathlib import Path

from config import load_settings
from service.commands.showing import TOP, show_run
from service.exits import Exit
from service.logs import configure_logs
from service.places import find_place, usage_error
from service.results import read_results
from storage.errors import ObjectMissing


def execute(
    problem: str | None = None,
    config: Path | None = None,
    results: str | None = None,
    run: str | None = None,
    top: int = TOP,
    *,
    as_json: bool = False,
) -> Exit:
    """Print the newest run of a problem, or the one that is asked for."""
    configure_logs(load_settings().log)
    place = find_place(problem, config, results)
    try:
        found = read_results(place.store, place.problem, run)
    except ObjectMissing as error:
        asked = ("--run", f'"{run}"') if run else ("PROBLEM", f'"{place.problem}"')
        raise usage_error(*asked, f"one that has been committed ({error})") from error
    show_run(found, "committed", as_json=as_json, top=top)
    return Exit.DONE
