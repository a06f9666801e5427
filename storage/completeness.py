"""The rules that one listing of a folder must pass before it may be a drop.

Each rule returns why the folder is not finished, or None. The numbers are those of docs/protocol.md, section 2; rule 7
(one schema) needs the data and belongs to the reader, rule 4 (two listings agree) to the settle window.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from storage.errors import DropIncomplete
from storage.keys import MANIFEST, write_uuid
from storage.manifests import named_files, without_authority
from storage.store import ObjectInfo, ObjectStore

MARKER_LIMIT_BYTES = 64 << 20
NAMES_LIMIT = 100  # S3A's committers name at most so many files in a marker
_AT_WORK = ("_temporary", ".spark-staging-", "__magic")
_PART = re.compile(r"part-[^/]*\.parquet")
_TABLE = re.compile(r"[^/]+\.(?:parquet|csv|csv\.gz)", re.IGNORECASE)
_TABLE_FORMATS = {"_delta_log": "a Delta table", "metadata": "an Iceberg table"}


def is_part(relative: str, *, holds_tables: bool = False) -> bool:
    """Tell whether an object of a folder is data, by its key below the folder.

    Args:
        relative: the key.
        holds_tables: whether the drop holds raw tables: then parquet and csv of any name are data.
    """
    folder, _, name = relative.rpartition("/")
    if any(is_hidden(segment) for segment in folder.split("/")):
        return False
    return bool(_TABLE.fullmatch(name) and not is_hidden(name)) if holds_tables else bool(_PART.fullmatch(name))


def table_of(relative: str) -> str:
    """Return the name of the raw table that a part belongs to: the folder, or the file without its endings.

    >>> table_of("events/dt=2026-01-01/part-0.parquet"), table_of("products.csv.gz"), table_of("part-0.parquet")
    ('events', 'products', 'raw')
    """
    first, slash, _ = relative.partition("/")
    name = first if slash and "=" not in first else "" if slash or _PART.fullmatch(first) else first.partition(".")[0]
    return name or "raw"


def is_hidden(segment: str) -> bool:
    """Tell whether Spark would skip a folder of this name; a partition column may start with "_"."""
    return segment.startswith(".") or (segment.startswith("_") and "=" not in segment)


def require_complete(
    store: ObjectStore,
    prefix: str,
    marker: ObjectInfo,
    objects: tuple[ObjectInfo, ...],
    parts: tuple[ObjectInfo, ...],
    allow_append: bool,
    holds_tables: bool,
) -> None:
    """Check every rule on what one listing saw in a folder.

    Args:
        store: where the folder is; read only for a marker that has a body.
        prefix: the folder.
        marker: its marker.
        objects: everything else that belongs to it.
        parts: the data among `objects`.
        allow_append: whether parts of several writes make one drop.
        holds_tables: whether the drop holds raw tables, each of one write, and of any name.

    Raises:
        DropIncomplete: a rule does not hold.
    """
    relative = [info.key.removeprefix(prefix) for info in objects]
    for reason in (
        _work_in_progress(relative),
        _uncommitted_transaction(relative),
        _misnamed(relative) if not holds_tables else None,
        _is_older(marker, parts),
        _mixed_writes(prefix, parts, holds_tables=holds_tables) if not allow_append else None,
        _breaks_manifest(store, prefix, marker, objects, parts),
    ):
        if reason:
            raise DropIncomplete(
                "snapshot",
                store.url + prefix,
                reason,
                "Let its writer finish, and write the marker last; a service looks again with the next listing",
            )


def _work_in_progress(relative: Iterable[str]) -> str | None:
    """Rule 2: no folder of a writer at work, no table format that has its own log."""
    for segment in (segment for key in relative for segment in key.split("/")[:-1]):
        if segment.startswith(_AT_WORK):
            return f"a writer is at work in {segment}/"
        if segment in _TABLE_FORMATS:
            return f"{segment}/ makes it {_TABLE_FORMATS[segment]}, whose files a marker does not describe"
    return None


def _uncommitted_transaction(relative: Iterable[str]) -> str | None:
    """Rule 2: every `_started_X` has its `_committed_X`."""
    names = {key.rpartition("/")[2] for key in relative}
    started = {name.removeprefix("_started_") for name in names if name.startswith("_started_")}
    committed = {name.removeprefix("_committed_") for name in names if name.startswith("_committed_")}
    pending = sorted(started - committed)
    return f"transaction {pending[0]} has started and not committed" if pending else None


def _misnamed(relative: Iterable[str]) -> str | None:
    """No visible parquet has another name than a part: it would neither be read nor be missed."""
    for key in sorted(relative):
        *folders, name = key.split("/")
        is_visible = not name.startswith(("_", ".")) and not any(is_hidden(folder) for folder in folders)
        if is_visible and name.lower().endswith(".parquet") and not is_part(key):
            return f"{key} is there and is not called part-*.parquet: rename it or move it out of the folder"
    return None


def _is_older(marker: ObjectInfo, parts: tuple[ObjectInfo, ...]) -> str | None:
    """Rule 3: the marker is not older than any part."""
    newer = [part.key for part in parts if part.modified > marker.modified]
    return f"{newer[0]} is newer than the marker" if newer else None


def _mixed_writes(prefix: str, parts: tuple[ObjectInfo, ...], *, holds_tables: bool) -> str | None:
    """Rule 8: all parts, or those of each raw table, carry the UUID of one write, or none does."""
    writes: dict[str, set[str | None]] = {}
    for part in parts:
        table = table_of(part.key.removeprefix(prefix)) if holds_tables else ""
        writes.setdefault(table, set()).add(write_uuid(part.key))
    mixed = {table: len(found) for table, found in sorted(writes.items()) if len(found) > 1}
    return next((f"the parts{f' of {table}' * bool(table)} come from {n} writes" for table, n in mixed.items()), None)


def _breaks_manifest(
    store: ObjectStore, prefix: str, marker: ObjectInfo, objects: tuple[ObjectInfo, ...], parts: tuple[ObjectInfo, ...]
) -> str | None:
    """Rule 6: a JSON marker names what is there, and below the limit of its list nothing else is."""
    if marker in parts:  # the newest part of a folder that is quiet
        return None
    is_manifest = marker.key.rpartition("/")[2] == MANIFEST
    if marker.size == 0:
        return "the manifest is empty" if is_manifest else None
    if marker.size > MARKER_LIMIT_BYTES:
        return f"the marker has {marker.size:,} bytes: no list of parts is so long"
    body, read = store.read(marker.key)
    if read.etag != marker.etag:
        return "the marker was replaced while the folder was looked at"
    named = named_files(body)
    if named is None:
        return 'the manifest is not JSON with a list "files", "entries" or "filenames"' if is_manifest else None
    there = {name: info.size for info in objects for name in _names_of(store, prefix, info)}
    parts_named = [(part.key, not named.keys().isdisjoint(_names_of(store, prefix, part))) for part in parts]
    unnamed = [key for key, is_named in parts_named if not is_named] if is_manifest or len(named) < NAMES_LIMIT else []
    return _absent_or_torn(named, there) or (
        f"{unnamed[0]} is there, but the marker does not name it" if unnamed else None
    )


def _absent_or_torn(named: Mapping[str, int | None], there: Mapping[str, int]) -> str | None:
    """Say which named file is not there, or not whole."""
    absent = named.keys() - there.keys()
    if absent:
        return f"the marker names {min(absent)}, which is not there"
    torn = sorted(name for name, size in named.items() if size not in {None, there[name]})
    return f"{torn[0]} has {there[torn[0]]:,} bytes; the marker says {named[torn[0]]:,}" if torn else None


def _names_of(store: ObjectStore, prefix: str, info: ObjectInfo) -> Iterator[str]:
    """Yield the names by which a marker may call an object: from the root of the bucket, or from the folder."""
    yield without_authority(store.url + info.key)
    yield info.key.removeprefix(prefix)
