"""Stands between the real command and the file system: writes down every change of a name, and kills where it is told.

A change is a name that comes (a link, a rename) or goes (an unlink); temporary names are none. The log is a file that
only grows, one line for each call, written when the call has returned.
"""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.reliability.chaos.points import KINDS


def install(root: str, log: str, kind: int, way: str, armed: str) -> None:
    """Replace the three calls.

    Args:
        root: the folder above drops and results.
        log: where changes are written down.
        kind: the number of the kind at which to kill.
        way: before, lost or after.
        armed: a file that is there as long as nobody has been killed.
    """
    hook = _Hook(Path(root).resolve(), log, kind, way, armed)
    for name, verb in (("link", "put"), ("replace", "put"), ("unlink", "delete")):
        setattr(os, name, hook.around(verb, getattr(os, name)))


class _Hook:
    def __init__(self, root: Path, log: str, kind: int, way: str, armed: str) -> None:
        self._root, self._kind, self._way, self._armed = root, KINDS[kind], way, armed
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._unlink = os.unlink

    def around(self, verb: str, call: Callable[..., None]) -> Callable[..., None]:
        """Return the call with log and kills around it."""

        def called(*args: Any, **others: Any) -> None:  # noqa: ANN401 - as the call
            path = Path(str(args[-1])).absolute()
            key = path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else ""
            if not key.startswith(("drops/", "results/")) or path.name.startswith("."):
                return call(*args, **others)
            body = Path(str(args[0])).read_bytes() if verb == "put" and path.suffix == ".json" else b""
            fits = self._fits(verb, key, body)
            if fits and self._way == "before":
                if verb == "put":  # nothing of it is on the disk yet
                    self._unlink(args[0])
                self._kill()
            if fits and self._way == "lost" and verb == "put":
                self._kill()
            call(*args, **others)
            self._write_down(verb, key)
            if fits:
                self._kill()
            return None

        return called

    def _fits(self, verb: str, key: str, body: bytes) -> bool:
        """Count the changes of the kind, of all processes; tell whether this one is it and nobody was killed yet."""
        if not self._kind.fits(verb, key, body):
            return False
        counter = os.open(self._armed + ".count", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(counter, b".")
        number = os.fstat(counter).st_size
        os.close(counter)
        return number == self._kind.occurrence and Path(self._armed).exists()

    def _write_down(self, verb: str, key: str) -> None:
        os.write(self._log, json.dumps({"verb": verb, "key": key}).encode() + b"\n")

    def _kill(self) -> None:
        self._unlink(self._armed)
        os.kill(os.getpid(), signal.SIGKILL)
