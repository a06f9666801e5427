"""The command line itself: what it says of itself, and how soon."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from service.cli import app

HEAVY = {"torch", "scipy", "pandas", "numpy", "boto3", "pyarrow", "sklearn", "lightgbm", "numba", "shap", "apscheduler"}
WIDE = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}


def said(*arguments: str) -> str:
    """Return what a command prints."""
    done = CliRunner(env=WIDE).invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_help_names_every_command_with_one_line_examples_and_exit_codes() -> None:
    text = said("--help")
    for words in (
        "demo        Make a drop with planted truth, let the service find it, and print the table.",
        "run         Work on one drop, now, in the foreground.",
        "watch       Run the service: poll every problem, work on every finished drop.",
        "check       Find all faults of the configuration at once, and try the stores.",
        "results     Show the table of a run: the columns, best first.",
        "score       Predict every row of a drop with the model of a run, in the order of the drop.",
        "serve       Answer predictions over HTTP with the newest model of each problem.",
        "replay      Bring the inputs of a run back from the trash (retention_days)",
        "quarantine  List the drops that were put aside, show why, or let one go.",
        "winnow watch --config winnow.yaml",
        "0 done, 2 usage or configuration, 3 the input was rejected, 4 the store failed, 5 the run failed",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("demo", ("--dir", "--rows", "--features", "--produce")),
        ("run", ("--problem", "--results", "--keep-inputs", "--json")),
        ("score", ("--model", "--out", "--json")),
        ("serve", ("--config", "--results", "--host", "--port")),
        ("watch", ("--config", "--once")),
        ("check", ("--config",)),
        ("results", ("--config", "--results", "--run", "--json", "--top")),
    ],
)
def test_every_command_explains_its_options_by_an_example(command: str, options: tuple[str, ...]) -> None:
    text = said(command, "--help")
    assert f"winnow {command}" in text
    assert [option for option in options if option not in text] == []


def test_the_quarantine_has_its_three_commands() -> None:
    text = said("quarantine", "--help")
    assert [word for word in ("list", "show", "release") if word not in text] == []


def test_the_version_is_that_of_the_package() -> None:
    assert said("--version").startswith("winnow ")


@pytest.mark.parametrize("arguments", [("run",), ("nonsense",), ("results", "--top", "0"), ("demo", "--rows", "1")])
def test_a_command_that_makes_no_sense_is_a_fault_of_usage(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_help_loads_nothing_heavy() -> None:
    script = "import sys, service.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()


def test_idle_threads_sleep_unless_the_operator_says_otherwise() -> None:
    script = "import os; from service import cli\ncli.app = lambda: print(os.environ['OMP_WAIT_POLICY'])\ncli.main()"
    for given, found in (({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=given)
        assert done.stdout.split()[-1] == found


def test_nothing_that_happens_at_the_end_of_the_interpreter_changes_the_exit_code() -> None:
    script = """
import atexit, os, sys
from service import cli
def command():
    print("all that was said")
    raise SystemExit(3)
atexit.register(os.abort)
cli.app = command
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "all that was said\n")
