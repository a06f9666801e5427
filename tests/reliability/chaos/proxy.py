"""Stands between one process and the S3 server: writes down every change that the server made, and kills its process.

The log is that of the server's side: what it was asked, and what it answered, whether the process heard it or not.
"""

import http.client
import http.server
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tests.reliability.chaos.points import Point

_NOT_PASSED_ON = {"connection", "expect", "transfer-encoding"}


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
        self.upstream = urlsplit(upstream).netloc
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


@contextmanager
def serving(proxy: Proxy) -> Iterator[str]:
    """Serve while the context lasts; gives the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        verb, key = {"PUT": "put", "DELETE": "delete"}.get(self.command, ""), self._key()
        way = self.proxy.trap.point.way if verb and self.proxy.trap.springs(verb, key, body) else ""
        if way == "before":
            return self._die()
        status, headers, answer = self._ask_upstream(body)
        if verb and status < 300:
            self.proxy.trap.changes.append(Change(verb, key, headers.get("etag", "").strip('"')))
        if way == "lost":
            return self._die()
        with suppress(ConnectionError):
            self._answer(status, headers, answer)
        if way == "after":
            self._die()
        return None

    def _key(self) -> str:
        """Return the key with "drops/" or "results/" in front."""
        return unquote(urlsplit(self.path).path).removeprefix(f"/{self.proxy.trap.bucket}-")

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass_on  # noqa: N815 - the names that http.server calls

    def _die(self) -> None:
        self.proxy.kill()
        self.close_connection = True

    def _ask_upstream(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=60)
        try:
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        length = headers.pop("content-length", str(len(body)))
        for name, value in headers.items():
            if name not in _NOT_PASSED_ON:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
