"""The command line: what can be asked, in one screen; every command lives in service/commands/.

Nothing heavy is imported before a command needs it, so that help is there at once.
"""

import os
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from config.machine import tame_threads

_GENERATORS = (Path(__file__).parent / "examples").glob("*/generate.py")
_EXAMPLES = ", ".join(["return", *sorted(script.parent.name for script in _GENERATORS)])
_EXITS = "Exit codes: 0 done, 2 usage or configuration, 3 the input was rejected, 4 the store failed, 5 the run failed."


def _examples(*lines: str) -> str:
    return "\n\n".join(("Examples:", *(f"  {line}" for line in lines), _EXITS))


app = typer.Typer(
    name="winnow",
    help="Wait for a drop of data, find the columns that carry signal, leave tables an analyst can act on.",
    epilog=_examples(
        "winnow demo",
        "winnow run s3://game-features/return/dt=2026-11-22/ --problem return.yaml --results s3://game-results/",
        "winnow check --config winnow.yaml",
        "winnow watch --config winnow.yaml",
        "winnow results return --top 50",
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
quarantine = typer.Typer(
    help="List the drops that were put aside, show why, or let one go.",
    epilog=_examples("winnow quarantine list", "winnow quarantine show 3f0c2a1b", "winnow quarantine release 3f0c2a1b"),
    no_args_is_help=True,
)
app.add_typer(quarantine, name="quarantine")

Config = Annotated[Path | None, typer.Option(help="winnow.yaml; the one in this folder if not given.")]
Results = Annotated[str | None, typer.Option(help="The results themselves: s3://bucket/prefix or a folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout, and nothing else.")]
Name = Annotated[
    str | None, typer.Argument(metavar="[PROBLEM]", help="The problem; may be left out where winnow.yaml has only one.")
]
Drop = Annotated[str, typer.Argument(metavar="DROP", help="The drop_id, or as much of it as makes it unique.")]


def main() -> None:
    """Run the command: what pyproject.toml names. The process ends with its exit code, and at once.

    The end of the interpreter could change that code after all is done: it unwinds threads of native libraries, and
    once in some fifty runs one of them called std::terminate.
    """
    tame_threads()
    try:
        app()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # closed by whoever read it
                stream.flush()
        os._exit(end.code)


def _call(command: str, **options: object) -> None:
    """Load the commands, run one, and end with its exit code."""
    code: int = import_module("service.commands").call(command, **options)
    raise typer.Exit(code)


def _version(is_asked: bool) -> None:
    if is_asked:
        try:
            typer.echo(f"winnow {version('winnow')}")
        except PackageNotFoundError:  # run from a checkout that nobody installed
            typer.echo("winnow (not installed)")
        raise typer.Exit


@app.callback()
def _top(
    is_version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Hold the options that stand before the command."""


@app.command(epilog=_examples("winnow demo", "winnow demo --rows 5000 --features 200 --dir /tmp/demo"))
def demo(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help=f"Which example: {_EXAMPLES}.",
        ),
    ] = "return",
    folder: Annotated[Path, typer.Option("--dir", help="Where everything is put.")] = Path("winnow-demo"),
    rows: Annotated[
        int | None, typer.Option(min=500, help="Users, sessions or other rows of the drop; return: 20,000.")
    ] = None,
    features: Annotated[int | None, typer.Option(min=50, help="Sparse columns; return only: 1,000.")] = None,
    produce: Annotated[str | None, typer.Option(metavar="URL", help="Only write the drop there, marker last.")] = None,
) -> None:
    """Make a drop with planted truth, let the service find it, and print the table."""
    _call("demo", name=name, folder=folder, rows=rows, features=features, produce=produce)


@app.command(epilog=_examples("winnow run ./drops/dt=2026-11-22 --problem return.yaml --results ./results"))
def run(
    drop: Annotated[str, typer.Argument(help="The folder of the drop: s3://bucket/folder or a path.")],
    problem: Annotated[Path, typer.Option(help="The problem file.")],
    results: Annotated[str, typer.Option(help="Where the results go: s3://bucket/prefix or a folder.")],
    keep_inputs: Annotated[bool, typer.Option("--keep-inputs", help="Delete nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Work on one drop, now, in the foreground."""
    _call("run", drop=drop, problem=problem, results=results, keep_inputs=keep_inputs, as_json=as_json)


@app.command(epilog=_examples("winnow watch --config winnow.yaml", "winnow watch --config winnow.yaml --once"))
def watch(
    config: Config = None,
    once: Annotated[bool, typer.Option("--once", help="One pass over all problems, then end.")] = False,
) -> None:
    """Run the service: poll every problem, work on every finished drop."""
    _call("watch", config=config, once=once)


@app.command(epilog=_examples("winnow check --config winnow.yaml"))
def check(config: Config = None) -> None:
    """Find all faults of the configuration at once, and try the stores."""
    _call("check", config=config)


@app.command(epilog=_examples("winnow results return", "winnow results return --results ./results --json"))
def results(
    problem: Name = None,
    config: Config = None,
    results: Results = None,
    run: Annotated[str | None, typer.Option(metavar="ID", help="A run; the newest if not given.")] = None,
    as_json: Json = False,
    top: Annotated[int, typer.Option(min=1, help="Rows of the table.")] = 20,
) -> None:
    """Show the table of a run: the columns, best first."""
    _call("results", problem=problem, config=config, results=results, run=run, as_json=as_json, top=top)


@app.command(
    epilog=_examples(
        "winnow score ./drops/dt=2026-11-23 --model ./results/return/runs/3f2a... --out ./scores",
        "winnow score s3://game-features/all/ --model s3://game-results/return/runs/3f2a... --out s3://scores/today",
    )
)
def score(
    drop: Annotated[str, typer.Argument(help="The folder of the drop; its label may be missing. Nothing is deleted.")],
    model: Annotated[str, typer.Option(metavar="RUN", help="The folder of a run: <results>/<problem>/runs/<run_id>.")],
    out: Annotated[str, typer.Option(metavar="URL", help="Where predictions.parquet and predictions.csv go.")],
    as_json: Json = False,
) -> None:
    """Predict every row of a drop with the model of a run, in the order of the drop."""
    _call("score", drop=drop, model=model, out_url=out, as_json=as_json)


@app.command(
    epilog=_examples(
        "winnow serve --config winnow.yaml",
        "winnow serve return --results ./results --port 8000",
        "curl -s localhost:8000/models/return/predict -H 'content-type: application/json' -d '{\"5_95\": [3, 0]}'",
    )
)
def serve(
    problem: Name = None,
    config: Config = None,
    results: Results = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where to listen.")] = 8000,
) -> None:
    """Answer predictions over HTTP with the newest model of each problem."""
    _call("serve", problem=problem, config=config, results=results, host=host, port=port)


@app.command(epilog=_examples("winnow replay 3f2a... return", "winnow replay 3f2a... return --results ./results"))
def replay(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run_id, as `winnow results` shows it.")],
    problem: Name = None,
    config: Config = None,
    results: Results = None,
    as_json: Json = False,
) -> None:
    """Bring the inputs of a run back from the trash (retention_days), so that the service works on them again."""
    _call("replay", run=run, problem=problem, config=config, results=results, as_json=as_json)


@quarantine.command("list")
def quarantine_list(
    problem: Name = None, config: Config = None, results: Results = None, as_json: Json = False
) -> None:
    """List the drops that were put aside."""
    _call("quarantine_list", problem=problem, config=config, results=results, as_json=as_json)


@quarantine.command("show")
def quarantine_show(
    drop: Drop, problem: Name = None, config: Config = None, results: Results = None, as_json: Json = False
) -> None:
    """Show why a drop was put aside, and what was there."""
    _call("quarantine_show", drop=drop, problem=problem, config=config, results=results, as_json=as_json)


@quarantine.command("release")
def quarantine_release(
    drop: Drop, problem: Name = None, config: Config = None, results: Results = None, as_json: Json = False
) -> None:
    """Let a drop go, so that the service tries it again."""
    _call("quarantine_release", drop=drop, problem=problem, config=config, results=results, as_json=as_json)


if __name__ == "__main__":
    main()
