"""Puts the text of `prepare` into the problem: the query is part of what a run is, the name of its file is not."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

KEY = "prepare"


class UnreadableQuery(ValueError):
    """The file of SQL cannot be read; the message says why."""


def with_query(data: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Return `data` with the text of the file of SQL that `prepare` names, if it names one.

    Args:
        data: a problem file: `prepare` is a file's name, or a mapping with one under `file`.
        folder: what the name is relative to.

    Raises:
        UnreadableQuery: the file cannot be read.
    """
    given = data.get(KEY)
    asked: dict[str, object] = {"file": given} if isinstance(given, str) else {}
    if isinstance(given, Mapping):
        asked = dict(cast("Mapping[str, object]", given))
    file = asked.get("file")
    if not isinstance(file, str) or "sql" in asked:
        return dict(data)
    try:
        text = (folder / file).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UnreadableQuery(f'"{file}": {(reason or str(error)).lower()}') from error
    return {**data, KEY: {**asked, "sql": text}}
