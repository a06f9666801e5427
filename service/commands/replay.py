"""`winnow replay`: the inputs of a run come back from the trash, so that the service works on them again."""

from pathlib import Path

from config import load_settings
from service.commands.printing import out, print_json, shown
from service.exits import Exit
from service.logs import configure_logs
from service.places import find_place, usage_error
from storage import open_store
from storage.commits import read_commit
from storage.errors import ObjectExists, ObjectMissing
from storage.trash import restore


def execute(
    run: str,
    problem: str | None = None,
    config: Path | None = None,
    results: str | None = None,
    *,
    as_json: bool = False,
) -> Exit:
    """Bring the inputs of one run back to where they were.

    Raises:
        ConfigError: there is no such run, its inputs are not in the trash, or something else is in their place.
    """
    configure_logs(load_settings().log)
    place = find_place(problem, config, results)
    try:
        standing = read_commit(place.store, place.problem, run)
        restored = restore(place.store, open_store(standing.consumed.store_url), standing)
    except (ObjectMissing, ObjectExists) as error:
        raise usage_error("RUN", f'"{run}"', f"a run whose inputs can be brought back ({error})") from error
    if as_json:
        print_json({"run_id": run, "url": standing.consumed.url, "restored": restored})
    else:
        said = f"{len(restored)} objects are back; the service works on them once they have settled"
        out().print(f"{said}: {shown(standing.consumed.url)}", markup=False, soft_wrap=True)
    return Exit.DONE
