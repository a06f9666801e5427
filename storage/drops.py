"""Finds finished drops and takes their snapshots: what exactly is there, and may it be believed?

A marker alone proves nothing: an overwrite removes old parts under the old marker, an append adds parts to it (measured
with Spark; docs/protocol.md, section 2). So a drop counts once every rule here holds and the same snapshot was seen for
a while. Nothing here deletes; keys that no rule knows are left alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from storage.completeness import is_hidden, is_part, require_complete
from storage.errors import DropIncomplete
from storage.keys import MARKER
from storage.snapshots import Snapshot
from storage.store import ObjectInfo, ObjectStore

__all__ = ["DropFolder", "SettleWindow", "Snapshot", "as_found", "find_drops", "folder_at", "snapshot", "snapshot_at"]


@dataclass(frozen=True, slots=True)
class DropFolder:
    """A folder that a marker declares finished, as one listing saw it.

    Attributes:
        store: where it is.
        prefix: the folder, ending in "/"; empty at the root of the store.
        marker: the marker in it.
        objects: everything below the folder but what belongs to a marker further down, without the marker itself.
    """

    store: ObjectStore = field(repr=False)
    prefix: str
    marker: ObjectInfo
    objects: tuple[ObjectInfo, ...]

    @property
    def url(self) -> str:
        """Absolute URL of the folder."""
        return self.store.url + self.prefix

    @property
    def parts(self) -> tuple[ObjectInfo, ...]:
        """The data objects, sorted by key."""
        return tuple(sorted(info for info in self.objects if is_part(info.key.removeprefix(self.prefix))))


def find_drops(store: ObjectStore) -> list[DropFolder]:
    """Return every folder with a marker, sorted, from one listing of the store.

    Args:
        store: where drops arrive.
    """
    return _folders(store, store.list())


def snapshot(folder: DropFolder, *, allow_append: bool = False) -> Snapshot:
    """Take the snapshot of a folder if it is a finished drop as far as one listing can tell.

    Args:
        folder: what the listing saw.
        allow_append: whether parts of several writes make one drop.

    Raises:
        DropIncomplete: a rule of completeness does not hold; the message says which.
    """
    require_complete(folder.store, folder.prefix, folder.marker, folder.objects, folder.parts, allow_append)
    return as_found(folder)


def as_found(folder: DropFolder) -> Snapshot:
    """Name what is in a folder without any judgement, to put a folder aside that never becomes a drop."""
    return Snapshot(folder.url, folder.prefix, folder.marker, folder.parts)


def folder_at(store: ObjectStore, prefix: str) -> DropFolder | None:
    """Return the folder `prefix` if a marker is directly in it.

    Args:
        store: where it is.
        prefix: the folder, ending in "/"; empty for the root of the store.
    """
    folders = _folders(store, store.list(prefix))
    return next((folder for folder in folders if folder.prefix == prefix), None)


def snapshot_at(store: ObjectStore, prefix: str, *, allow_append: bool = False) -> Snapshot:
    """Take the snapshot of the one drop whose marker is directly in the folder `prefix`.

    Args:
        store: where it is.
        prefix: the folder, ending in "/"; empty for the root of the store.
        allow_append: whether parts of several writes make one drop.

    Raises:
        DropIncomplete: there is no marker, or a rule of completeness does not hold.
    """
    folder = folder_at(store, prefix)
    if folder is None:
        hint = f"A writer puts {MARKER} into the folder when it has finished"
        raise DropIncomplete("snapshot", store.url + prefix, f"there is no {MARKER}", hint)
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


def _folders(store: ObjectStore, listing: Iterable[ObjectInfo]) -> list[DropFolder]:
    infos = list(listing)
    markers = {folder: info for info in infos if (folder := _marked_folder(info.key)) is not None}
    objects: dict[str, list[ObjectInfo]] = {folder: [] for folder in markers}
    for info in infos:
        owner = _nearest(info.key, markers)
        if owner is not None and info != markers[owner]:
            objects[owner].append(info)
    return [DropFolder(store, folder, markers[folder], tuple(objects[folder])) for folder in sorted(markers)]


def _marked_folder(key: str) -> str | None:
    """Return the folder that this key marks as finished, or None; hidden folders hold no drops."""
    folder, _, name = key.rpartition("/")
    if name != MARKER or any(is_hidden(segment) for segment in folder.split("/")):
        return None
    return f"{folder}/" if folder else ""


def _nearest(key: str, markers: dict[str, ObjectInfo]) -> str | None:
    """Return the nearest folder above the key that has a marker."""
    folder = key
    while folder:
        folder = folder[:-1].rpartition("/")[0]
        folder = f"{folder}/" if folder else ""
        if folder in markers:
            return folder
    return None
