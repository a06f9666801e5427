"""Wakes a watcher as soon as a marker appears in a local folder. Only a hint: polling is the truth."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from watchdog.events import (
    EVENT_TYPE_CREATED,
    EVENT_TYPE_MODIFIED,
    EVENT_TYPE_MOVED,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from service.logs import Log
from storage.keys import MANIFEST, MARKER

_MARKERS = {MARKER, MANIFEST}
_WRITES = {EVENT_TYPE_CREATED, EVENT_TYPE_MODIFIED, EVENT_TYPE_MOVED}


class _MarkerSeen(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake the watcher if the event is about a marker."""
        names = {Path(str(path)).name for path in (event.src_path, event.dest_path)}
        if event.event_type in _WRITES and names & _MARKERS:
            self._wake()


@contextmanager
def waking(wakes: Mapping[str, Callable[[], None]], log: Log) -> Generator[None]:
    """Call the function of a folder whenever a marker is written somewhere below it, while the context lasts.

    Args:
        wakes: by location; those that are no folders of this machine are passed over.
        log: hears of folders that cannot be watched.
    """
    observer = Observer()
    for location, wake in wakes.items():
        if location.startswith("/") and Path(location).is_dir():
            try:
                observer.schedule(_MarkerSeen(wake), location, recursive=True)
            except OSError as error:  # no inotify watches left: polling goes on
                log.warning("wake_unavailable", url=location, found=str(error))
    observer.start()
    try:
        yield
    finally:
        observer.stop()
        observer.join()
