"""`winnow check`: all faults of the configuration at once, and what the stores say."""

from pathlib import Path

from rich.table import Table
from rich.text import Text

from config import Problem, load_service
from config.sections import PrepareSettings
from jobs.errors import QueryFailed
from jobs.statements import check_query
from service.commands.printing import out, shown
from service.exits import Exit
from service.logs import configure_logs
from service.places import DEFAULT_CONFIG
from service.unmarked import unmarked_folders
from storage import ObjectStore, StorageError, open_store
from storage.drops import Declaration, find_drops, snapshot
from storage.errors import DropIncomplete
from storage.probe import probe

MOST_NAMED = 20  # unfinished folders


def execute(config: Path | None = None) -> Exit:
    """Check a configuration and try the stores of every problem.

    Raises:
        ConfigError: with all faults.
    """
    service = load_service(config or DEFAULT_CONFIG)
    configure_logs(service.settings.log)
    table = Table(title="The configuration has no fault. What the stores say:", title_justify="left")
    for heading in ("problem", "what", "where", "found"):
        table.add_column(heading, overflow="fold")
    worst = Exit.DONE
    for problem in service.problems:
        worst = max(worst, *_rows(problem, table))
    out().print(table)
    return worst


def _rows(problem: Problem, table: Table) -> list[Exit]:
    """Add what is found about one problem to the table."""
    exits = [_check_query(problem, table)] if problem.prepare is not None else []
    declaration = Declaration.of_rule(problem.complete.rule)

    def look_at_drops(store: ObjectStore) -> str:
        return _look_at_drops(store, declaration, holds_tables=problem.holds_tables)

    for what, location, look in (("drops", problem.drops, look_at_drops), ("results", problem.results, _try_results)):
        try:
            found, code = Text(look(open_store(location))), Exit.DONE
        except StorageError as error:
            found, code = Text(str(error), style="red"), Exit.STORE_FAILED
        table.add_row(Text(problem.problem), what, Text(shown(location)), found)
        exits.append(code)
    return exits


def _check_query(problem: Problem, table: Table) -> Exit:
    """Add what is wrong with the SQL of a problem, as far as that can be told without a drop."""
    asked = problem.prepare or PrepareSettings(sql=" ")
    try:
        check_query(asked, problem.parameters)
    except QueryFailed as error:
        found, code = Text(str(error), style="red"), Exit.USAGE
    else:
        found, code = Text("parses"), Exit.DONE
    table.add_row(Text(problem.problem), "prepare", Text(asked.file), found)
    return code


def _look_at_drops(store: ObjectStore, declaration: Declaration, *, holds_tables: bool) -> str:
    lacking = f"there is no {declaration.value}"
    unmarked = unmarked_folders(store, declaration, holds_tables=holds_tables)
    finished, unfinished = 0, [f"{shown(url)}: {lacking}" for url in unmarked]
    for folder in find_drops(store, declaration, holds_tables=holds_tables):
        try:
            snapshot(folder)
            finished += 1
        except DropIncomplete as error:
            unfinished.append(f"{shown(folder.url)}: {error.found}")
    rest = len(unfinished) - MOST_NAMED
    named = [*unfinished[:MOST_NAMED], *([f"and {rest} more"] if rest > 0 else [])]
    return "\n".join((f"{finished} finished, {len(unfinished)} unfinished", *named))


def _try_results(store: ObjectStore) -> str:
    able = probe(store)
    return f"safe; conditional delete: {_yes(able.conditional_delete)}; versions: {_yes(able.versioned)}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
