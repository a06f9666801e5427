"""Folders that hold parts and no marker: drops that are still being written, or that nobody will ever finish."""

from itertools import takewhile
from pathlib import PurePosixPath

from storage import ObjectStore
from storage.completeness import is_part
from storage.drops import Declaration


def unmarked_folders(store: ObjectStore, declaration: Declaration, *, holds_tables: bool = False) -> list[str]:
    """Return the URLs of folders with parts that no marker covers, sorted; one listing.

    Args:
        store: where drops arrive.
        declaration: what declares a folder finished; where that is silence, no folder lacks anything.
        holds_tables: whether drops hold raw tables, and so stand directly below the root of the store.
    """
    if declaration is Declaration.QUIET_PERIOD:
        return []
    paths = [PurePosixPath(info.key) for info in store.list()]
    marked = {path.parent for path in paths if path.name == declaration.value}
    if holds_tables:
        parts = [path for path in paths if is_part(str(path), holds_tables=True) and PurePosixPath() not in marked]
        written = {PurePosixPath(*path.parts[:1]) if len(path.parts) > 1 else path.parent for path in parts} - marked
    else:
        parts = [path for path in paths if path.name.startswith("part-") and path.suffix == ".parquet"]
        written = {_above_writers_folders(part.parent) for part in parts if marked.isdisjoint(part.parents)}
    return [store.url if folder == PurePosixPath() else f"{store.url}{folder}/" for folder in sorted(written)]


def _above_writers_folders(folder: PurePosixPath) -> PurePosixPath:
    """Return the folder without what a writer at work has made in it, such as `_temporary/0/`."""
    visible = takewhile(lambda name: not name.startswith((".", "_")) or "=" in name, folder.parts)
    return PurePosixPath(*visible)
