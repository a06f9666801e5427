"""Stands between one process and the S3 server: writes down every change that the server made, and kills its process.

The log is that of the server's side: what it was asked, and what it answered, whether the process heard it or not.
"""

import os
import signal
import threading
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tests.reliability.chaos.points import Point
from tests.servers import proxying


@dataclass(frozen=True, slots=True)
class Change:
    """One change that a server made.

    Attributes:
        verb: "put" or "delete".
        key: with the bucket in front.
        etag: of what was put.
    """

    verb: str
    key: str
    etag: str = ""


@dataclass
class Trap:
    """What all processes of one run have in common.

    Attributes:
        point: where to kill.
        bucket: what stands before "-drops" and "-results" in the names of the buckets.
        changes: what the server did, in its order.
        is_sprung: whether somebody was killed.
    """

    point: Point
    bucket: str
    changes: list[Change] = field(default_factory=list)
    is_sprung: bool = False
    _seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def springs(self, verb: str, key: str, body: bytes) -> bool:
        """Count a change that is asked for; tell whether its process is to be killed."""
        with self._lock:
            if self.is_sprung or not self.point.kind.fits(verb, key, body):
                return False
            self._seen += 1
            self.is_sprung = self._seen == self.point.kind.occurrence
            return self.is_sprung


class Proxy:
    """The proxy of one process.

    Args:
        upstream: the address of the server.
        trap: of the run.
    """

    def __init__(self, upstream: str, trap: Trap) -> None:
        self.upstream = upstream
        self.trap = trap
        self.pid = 0
        self.is_known = threading.Event()

    def belongs_to(self, pid: int) -> None:
        """Say whose requests these are."""
        self.pid = pid
        self.is_known.set()

    def kill(self) -> None:
        """Kill the process."""
        self.is_known.wait()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def serving(proxy: Proxy) -> AbstractContextManager[str]:
    """Serve while the context lasts; gives the address."""
    return proxying.serving(_Handler, proxy)


class _Handler(proxying.Handler):
    proxy: Proxy

    def pass_on(self) -> None:
        """Answer the request, and kill whose it is where the trap says so."""
        body = self.body()
        verb, key = {"PUT": "put", "DELETE": "delete"}.get(self.command, ""), self._key()
        way = self.proxy.trap.point.way if verb and self.proxy.trap.springs(verb, key, body) else ""
        if way == "before":
            return self._die()
        status, headers, answer = self.ask(self.proxy.upstream, body, self.passed_on())
        if verb and status < 300:
            self.proxy.trap.changes.append(Change(verb, key, headers.get("etag", "").strip('"')))
        if way == "lost":
            return self._die()
        with suppress(ConnectionError):
            self.send(status, headers, answer)
        if way == "after":
            self._die()
        return None

    def _key(self) -> str:
        """Return the key with "drops/" or "results/" in front."""
        return unquote(urlsplit(self.path).path).removeprefix(f"/{self.proxy.trap.bucket}-")

    def _die(self) -> None:
        self.proxy.kill()
        self.close_connection = True
