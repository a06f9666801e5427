"""What commands print: results to stdout, failures to stderr, or one JSON object to stdout."""

import json
import sys
from collections.abc import Mapping

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from service.exits import Failure

_WIDTH_OF_FILES = 150  # columns of text where stdout is no terminal: tables are not cut to 80


def out() -> Console:
    """Return the console on stdout."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_OF_FILES, highlight=False)


def print_json(values: Mapping[str, object]) -> None:
    """Print one JSON object."""
    sys.stdout.write(json.dumps(values, indent=1, default=str) + "\n")


def print_failure(failure: Failure, *, as_json: bool) -> None:
    """Tell a person, or a program, what was found and what to do."""
    if as_json:
        print_json({"status": "failed", **failure.to_json()})
        return
    body = Text(failure.found)
    if failure.hint:
        body.append(f"\n\n{failure.hint}.", style="bold")
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        console.print(Panel(body, title=Text(failure.title), title_align="left", border_style="red"))
    else:
        console.print(Text(f"{failure.title}: ") + body, soft_wrap=True)


def shown(url: str) -> str:
    """Return a URL as a person would type it: a local one as a path."""
    return url.removeprefix("file://")
