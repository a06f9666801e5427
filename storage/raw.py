"""The raw tables of a drop on the local disk, for SQL to read: parquet and csv, one folder or file each.

Every byte comes through the store's own conditional read, as with any other drop. Files get names of our own, since a
key may hold anything; folders that declare a partition (dt=2026-01-01/) keep theirs.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.completeness import table_of
from storage.errors import SchemaConflict
from storage.parquet import inspect_parts
from storage.store import ObjectInfo, ObjectStore

_PIECE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table of a drop.

    Attributes:
        name: by which SQL calls it.
        kind: "parquet" or "csv".
        keys: of its parts, sorted.
        files: where they lie now, in the order of `keys`.
        rows: as the footers say; None of csv, which has none.
    """

    name: str
    kind: str
    keys: tuple[str, ...]
    files: tuple[Path, ...]
    rows: int | None


def fetch_tables(store: ObjectStore, parts: Sequence[ObjectInfo], prefix: str, folder: Path) -> Iterator[RawTable]:
    """Fetch the tables of a drop one by one, sorted by name.

    Args:
        store: where the drop is.
        parts: of the drop.
        prefix: of its folder.
        folder: takes the files; must exist.

    Raises:
        CorruptObject: a parquet part cannot be read.
        SchemaConflict: parts of one table do not fit together, or two tables have one name.
        ObjectChanged: a part was replaced since the snapshot.
    """
    by_name: dict[str, list[ObjectInfo]] = {}
    for part in sorted(parts):
        by_name.setdefault(table_of(part.key.removeprefix(prefix)), []).append(part)
    _require_distinct(by_name, store.url + prefix)
    for number, name in enumerate(sorted(by_name)):
        own = by_name[name]
        kind = _kind_of(name, own)
        rows = inspect_parts(own, store.open).n_rows if kind == "parquet" else None
        files = tuple(_fetch(store, part, prefix, folder / str(number), at) for at, part in enumerate(own))
        yield RawTable(name, kind, tuple(part.key for part in own), files, rows)


def _require_distinct(names: dict[str, list[ObjectInfo]], url: str) -> None:
    folded: dict[str, str] = {}
    for name in sorted(names):
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            found = f"two tables that SQL cannot tell apart: {other!r} and {name!r}"
            raise SchemaConflict("read", url, found, "Give every table of a drop a name of its own, whatever the case")


def _kind_of(name: str, parts: Sequence[ObjectInfo]) -> str:
    kinds = {"parquet" if part.key.lower().endswith(".parquet") else "csv" for part in parts}
    if len(kinds) > 1:
        found = f"the table {name!r} has parts in parquet and in csv"
        raise SchemaConflict("read", parts[0].key, found, "Write one format for each table")
    return kinds.pop()


def _fetch(store: ObjectStore, part: ObjectInfo, prefix: str, folder: Path, number: int) -> Path:
    *folders, name = part.key.removeprefix(prefix).split("/")
    partitions = [segment for segment in folders if "=" in segment[1:]]
    target = folder.joinpath(*partitions, f"{number}.{name.lower().partition('.')[2]}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with store.open(part) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, _PIECE_BYTES)
    return target
