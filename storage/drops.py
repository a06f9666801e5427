"""Finds finished drops and takes their snapshots: what exactly is there, and may it be believed?

What declares a folder finished is a matter of the problem: a marker, a manifest, or that nothing has changed in it for
a long time; then its newest part stands for the marker.

A marker alone proves nothing: an overwrite removes old parts under the old marker, an append adds parts to it (measured
with Spark; docs/protocol.md, section 2). So a drop counts once every rule here holds and the same snapshot was seen for
a while. Nothing here deletes; keys that no rule knows are left alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from storage.completeness import is_hidden, is_part, require_complete
from storage.errors import DropIncomplete
from storage.keys import MANIFEST, MARKER
from storage.snapshots import Snapshot
from storage.store import ObjectInfo, ObjectStore

__all__ = [
    "Declaration",
    "DropFolder",
    "SettleWindow",
    "Snapshot",
    "as_found",
    "declaration_of",
    "find_drops",
    "folder_at",
    "snapshot",
    "snapshot_at",
    "unfinished",
]


class Declaration(Enum):
    """What declares a folder finished; the value is how people call what it lacks until then."""

    MARKER = MARKER
    MANIFEST = MANIFEST
    QUIET_PERIOD = "part-*.parquet"

    @classmethod
    def of_rule(cls, rule: str) -> "Declaration":
        """Return the declaration that a problem file calls `complete.rule`."""
        return cls[rule.upper()]


@dataclass(frozen=True, slots=True)
class DropFolder:
    """A folder that is declared finished, as one listing saw it.

    Attributes:
        store: where it is.
        prefix: the folder, ending in "/"; empty at the root of the store.
        marker: what declares it: the marker, the manifest, or the newest part.
        objects: everything below the folder but what belongs to a marker further down, without marker or manifest.
        holds_tables: whether it holds raw tables: parquet and csv of any name, in folders that may have markers too.
    """

    store: ObjectStore = field(repr=False)
    prefix: str
    marker: ObjectInfo
    objects: tuple[ObjectInfo, ...]
    holds_tables: bool = False

    @property
    def url(self) -> str:
        """Absolute URL of the folder."""
        return self.store.url + self.prefix

    @property
    def parts(self) -> tuple[ObjectInfo, ...]:
        """The data objects, sorted by key."""
        below = len(self.prefix)
        return tuple(sorted(i for i in self.objects if is_part(i.key[below:], holds_tables=self.holds_tables)))


def find_drops(
    store: ObjectStore, declaration: Declaration = Declaration.MARKER, *, holds_tables: bool = False
) -> list[DropFolder]:
    """Return every folder that is declared finished, sorted, from one listing of the store.

    Args:
        store: where drops arrive.
        declaration: what declares a folder finished.
        holds_tables: whether drops hold raw tables: then a drop is a folder directly below the root of the store (or
            that root), and markers further down belong to its tables.
    """
    return _folders(store, store.list(), declaration, holds_tables=holds_tables)


def snapshot(folder: DropFolder, *, allow_append: bool = False) -> Snapshot:
    """Take the snapshot of a folder if it is a finished drop as far as one listing can tell.

    Args:
        folder: what the listing saw.
        allow_append: whether parts of several writes make one drop.

    Raises:
        DropIncomplete: a rule of completeness does not hold; the message says which.
    """
    found = folder.marker, folder.objects, folder.parts
    require_complete(folder.store, folder.prefix, *found, allow_append, folder.holds_tables)
    return as_found(folder)


def as_found(folder: DropFolder) -> Snapshot:
    """Name the drop in a folder without any judgement."""
    return Snapshot(folder.url, folder.prefix, folder.marker, folder.parts)


def unfinished(folder: DropFolder) -> Snapshot:
    """Name everything in a folder that is no drop yet; any change gives another name, in a writer's own files too."""
    return Snapshot(folder.url, folder.prefix, folder.marker, tuple(sorted(folder.objects)))


def folder_at(
    store: ObjectStore, prefix: str, declaration: Declaration = Declaration.MARKER, *, holds_tables: bool = False
) -> DropFolder | None:
    """Return the folder `prefix` if what declares it finished is directly in it.

    Args:
        store: where it is.
        prefix: the folder, ending in "/"; empty for the root of the store.
        declaration: what declares a folder finished.
        holds_tables: see find_drops.
    """
    folders = _folders(store, store.list(prefix), declaration, holds_tables=holds_tables)
    return next((folder for folder in folders if folder.prefix == prefix), None)


def declaration_of(seen: Snapshot) -> Declaration:
    """Return what declared this drop finished."""
    name = seen.marker.key.rpartition("/")[2]
    return next((known for known in Declaration if known.value == name), Declaration.QUIET_PERIOD)


def snapshot_at(
    store: ObjectStore,
    prefix: str,
    declaration: Declaration = Declaration.MARKER,
    *,
    allow_append: bool = False,
    holds_tables: bool = False,
) -> Snapshot:
    """Take the snapshot of the one drop that is declared finished directly in the folder `prefix`.

    Args:
        store: where it is.
        prefix: the folder, ending in "/"; empty for the root of the store.
        declaration: what declares a folder finished.
        allow_append: whether parts of several writes make one drop.
        holds_tables: see find_drops.

    Raises:
        DropIncomplete: there is no marker, or a rule of completeness does not hold.
    """
    folder = folder_at(store, prefix, declaration, holds_tables=holds_tables)
    if folder is None:
        lacking = declaration.value
        hint = f"A writer puts {lacking} into the folder when it has finished"
        raise DropIncomplete("snapshot", store.url + prefix, f"there is no {lacking}", hint)
    return snapshot(folder, allow_append=allow_append)


class SettleWindow:
    """Remembers for how long each folder has looked the same.

    The clock is the caller's; only differences of it count.
    """

    def __init__(self) -> None:
        self._since: dict[str, tuple[str, float]] = {}

    def observe(self, seen: Snapshot, now: float, settle_seconds: float) -> bool:
        """Tell whether a drop has been seen unchanged for long enough, by at least two listings.

        Args:
            seen: the snapshot of this listing.
            now: the time of this listing, in seconds.
            settle_seconds: how long it must have stayed the same; a change starts the time anew.
        """
        drop_id, since = self._since.get(seen.url, ("", now))
        if drop_id != seen.drop_id:
            self._since[seen.url] = (seen.drop_id, now)
            return False
        return now - since >= settle_seconds

    def forget(self, seen: Snapshot) -> None:
        """Begin anew with this folder when it is seen again."""
        self._since.pop(seen.url, None)


def _folders(
    store: ObjectStore, listing: Iterable[ObjectInfo], declaration: Declaration, *, holds_tables: bool
) -> list[DropFolder]:
    infos = list(listing)
    if declaration is Declaration.QUIET_PERIOD:
        markers = _newest_parts(infos, holds_tables=holds_tables)
    else:
        markers = _marked(infos, declaration.value)
    if holds_tables:
        markers = {folder: info for folder, info in markers.items() if folder.count("/") <= ("" not in markers)}
    objects: dict[str, list[ObjectInfo]] = {folder: [] for folder in markers}
    for info in infos:
        owner = _nearest(info.key, markers)
        if owner is not None and (info != markers[owner] or declaration is Declaration.QUIET_PERIOD):
            objects[owner].append(info)
    return [DropFolder(store, at, markers[at], tuple(objects[at]), holds_tables) for at in sorted(markers)]


def _marked(infos: Iterable[ObjectInfo], name: str) -> dict[str, ObjectInfo]:
    """Return the object of this name of every folder that has one; hidden folders hold no drops."""
    split = ((info.key.rpartition("/"), info) for info in infos)
    return {folder + slash: info for (folder, slash, found), info in split if found == name and not _is_hidden(folder)}


def _newest_parts(infos: Iterable[ObjectInfo], *, holds_tables: bool) -> dict[str, ObjectInfo]:
    """Return the newest part of every folder that holds parts: directly, or in the folders of its tables."""
    parts = [info for info in infos if is_part(info.key, holds_tables=holds_tables)]
    newest: dict[str, ObjectInfo] = {}
    for part in sorted(parts, key=lambda info: (info.modified, info.key)):
        folder, slash, _ = part.key.partition("/") if holds_tables else part.key.rpartition("/")
        newest[folder + slash if slash else ""] = part
    return newest


def _is_hidden(folder: str) -> bool:
    return any(is_hidden(segment) for segment in folder.split("/"))


def _nearest(key: str, markers: Mapping[str, ObjectInfo]) -> str | None:
    """Return the nearest folder above the key that has a marker."""
    folder = key
    while folder:
        folder = folder[:-1].rpartition("/")[0]
        folder = f"{folder}/" if folder else ""
        if folder in markers:
            return folder
    return None
