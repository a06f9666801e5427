"""The text of a query: its statements, what is wrong with it before it runs, and the words for what goes wrong then."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from config.sections import Parameter, PrepareSettings
from jobs.errors import OutOfMemory, QueryFailed

_SAID_LINES = 3
_LINE = re.compile(r"^LINE (\d+): ?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the query.

    Attributes:
        text: with the white space and the comments before it.
        parameters: the names that it uses.
        is_select: whether its result is a table.
        is_several: whether DuckDB makes several of it, as of PIVOT.
        lines_before: lines of the file before `text`.
    """

    text: str
    parameters: frozenset[str]
    is_select: bool
    is_several: bool
    lines_before: int

    @property
    def line(self) -> int:
        """Where it begins."""
        return 1 + self.lines_before + self.text[: len(self.text) - len(self.text.lstrip())].count("\n")


def check_query(asked: PrepareSettings, parameters: Mapping[str, Parameter]) -> None:
    """Find what is wrong with a query before there is a drop.

    Raises:
        QueryFailed: it does not parse, its last statement is no SELECT, or a parameter is missing or never used.
    """
    statements = statements_of(asked)
    used = set[str]().union(*(each.parameters for each in statements))
    missing, unused = sorted(used - parameters.keys()), sorted(parameters.keys() - used)
    if missing:
        found = re.search(rf"\${missing[0]}\b", asked.sql)
        line = 1 + asked.sql[: found.start() if found else 0].count("\n")
        raise QueryFailed(f"{place(asked, line)}: ${missing[0]} has no value. Give it one under `parameters`")
    if unused:
        raise QueryFailed(f"{place(asked)} never uses ${unused[0]}. Take it out of `parameters`, or use it")
    if not statements[-1].is_select:
        raise QueryFailed(
            f"{place(asked, statements[-1].line)}: the last statement must be the SELECT that makes the table"
        )


def statements_of(asked: PrepareSettings) -> list[Statement]:
    """Return the statements of a query.

    Raises:
        QueryFailed: it does not parse, or has none.
    """
    with translated(asked, None):
        parsed = duckdb.extract_statements(asked.sql)
    if not parsed:
        raise QueryFailed(f"{place(asked)} has no statement. Write the SELECT that makes the table")
    statements: list[Statement] = []
    at = 0
    for each in parsed:
        at = max(at, asked.sql.find(each.query, at))
        is_several = each.type == duckdb.StatementType.MULTI
        is_select = is_several or each.type == duckdb.StatementType.SELECT
        parameters = frozenset(each.named_parameters)
        statements.append(Statement(each.query, parameters, is_select, is_several, asked.sql[:at].count("\n")))
        at += len(each.query)
    return statements


@contextmanager
def translated(asked: PrepareSettings, statement: Statement | None) -> Generator[None]:
    """Turn what DuckDB says of a statement (None: of the whole file) into our words, with the line of the file."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        found = f"{place(asked)} needs more memory than it may have ({said(error)})"
        raise OutOfMemory(f"{found}. Aggregate before you join, select fewer columns, or raise max_memory") from error
    except (duckdb.Error, RuntimeError, OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of the query
            raise
        text = str(error)
        line = _LINE.search(text)
        before = statement.lines_before if statement else 0
        excerpt = text[line.end() :].splitlines()[0].strip() if line else ""
        at = place(asked, before + int(line.group(1))) if line else place(asked, None, before)
        shown = f" ({excerpt})" if excerpt else ""
        raise QueryFailed(f"{at}: {said(error)}{shown}. Correct the SQL, or the drop") from error


def place(asked: PrepareSettings, line: int | None = None, after: int = 0) -> str:
    """Name a line of the query, or what comes after one."""
    name = asked.file or "the query of prepare"
    return f"{name}, line {line}" if line else f"{name}, after line {after}" if after else name


def said(error: Exception) -> str:
    """What DuckDB says, its first lines as one; the line of the query that it shows comes after them."""
    lines = [line.strip() for line in _LINE.split(str(error))[0].splitlines() if line.strip()]
    return "; ".join(lines[:_SAID_LINES]).rstrip(".") or type(error).__name__
