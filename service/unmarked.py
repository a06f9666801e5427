"""Folders that hold parts and no marker: drops that are still being written, or that nobody will ever finish."""

from pathlib import PurePosixPath

from storage import ObjectStore
from storage.keys import MARKER

_WRITERS_FOLDERS = ("_", ".")


def unmarked_folders(store: ObjectStore) -> list[str]:
    """Return the URLs of folders with parts that no marker covers, sorted; one listing.

    Args:
        store: where drops arrive.
    """
    paths = [PurePosixPath(info.key) for info in store.list()]
    marked = {path.parent for path in paths if path.name == MARKER}
    written = {_drop_folder(path) for path in paths if path.name.startswith("part-") and path.suffix == ".parquet"}
    return [_url(store, folder) for folder in sorted(written) if marked.isdisjoint((folder, *folder.parents))]


def _drop_folder(part: PurePosixPath) -> PurePosixPath:
    """Return the folder that the drop will be: above partitions, and above what a writer at work has made."""
    folder = part.parent
    for parent in (part.parent, *part.parent.parents):
        if parent.name.startswith(_WRITERS_FOLDERS) or "=" in parent.name:
            folder = parent.parent
    return folder


def _url(store: ObjectStore, folder: PurePosixPath) -> str:
    return store.url if folder == PurePosixPath() else f"{store.url}{folder}/"
