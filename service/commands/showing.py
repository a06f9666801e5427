"""Prints a run: for a program as one JSON object, for a person as tables and where the files are."""

from service.commands.printing import out, print_json, shown
from service.results import RunResults
from service.tables import changes_line, features_table, metrics_table, status_line

TOP = 20


def show_run(results: RunResults, status: str, *, as_json: bool, top: int = TOP) -> None:
    """Print a run.

    Args:
        results: the run.
        status: how it came to be, for programs.
        as_json: for a program.
        top: rows of the table.
    """
    if as_json:
        print_json({"status": status, **results.to_json(top)})
        return
    console = out()
    console.print(metrics_table(results.metrics))
    console.print(features_table(results.features, top))
    console.print(status_line(results.features))
    changes = changes_line(results.metrics)
    if changes is not None:
        console.print(changes, soft_wrap=True)
    console.print(f"Run {results.commit.run_id}; all its files: {shown(results.url)}", markup=False, soft_wrap=True)
