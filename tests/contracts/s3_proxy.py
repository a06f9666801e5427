"""A real HTTP server between a store and the S3 test server, with the faults of real networks and servers.

Each fault is off until a test turns it on.
"""

import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

_PASSED_HEADERS = ("etag", "content-type", "last-modified", "x-amz-version-id", "date", "content-range")


class S3Proxy:
    """The faults, and what went through.

    Attributes:
        lose_answers: methods whose next request is carried out and its answer cut off; each entry counts once.
        ignored: (method, header) pairs that never reach the server.
        unquoted_only: If-Match with quotes matches nothing, as on Ceph 16.
        cut_after: cut the next answer to a GET after so many bytes.
        refuse: answer the next requests of a method with a status and an S3 error code.
        requests: the methods of all requests, in order.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.lose_answers: list[str] = []
        self.ignored: set[tuple[str, str]] = set()
        self.unquoted_only = False
        self.cut_after: int | None = None
        self.refuse: dict[str, tuple[int, str]] = {}
        self.requests: list[str] = []


@contextmanager
def running(proxy: S3Proxy) -> Iterator[str]:
    """Serve while the context lasts; gives the address."""
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
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
    proxy: S3Proxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.proxy.requests.append(self.command)
        if self.command in self.proxy.refuse:
            return self._refuse(*self.proxy.refuse[self.command])
        if self.proxy.unquoted_only and self.headers.get("If-Match", "").startswith('"'):
            return self._refuse(412, "PreconditionFailed")
        status, headers, answer = self._ask_upstream(body)
        if self.command in self.proxy.lose_answers:
            self.proxy.lose_answers.remove(self.command)
            self.close_connection = True
            return None
        return self._answer(status, headers, answer)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass_on  # noqa: N815 - the names that http.server calls

    def _ask_upstream(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in {"connection", "expect"} and (self.command, name) not in self.proxy.ignored
        }
        connection = http.client.HTTPConnection(self.proxy.upstream)
        try:
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            answered = {name.lower(): value for name, value in response.getheaders()}
            return response.status, answered, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name in _PASSED_HEADERS:
            if name in headers:
                self.send_header(name, headers[name])
        self.send_header("Content-Length", headers.get("content-length", str(len(body))))
        self.end_headers()
        if self.command == "GET" and self.proxy.cut_after is not None:
            body, self.proxy.cut_after = body[: self.proxy.cut_after], None
            self.close_connection = True
        self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>{HTTPStatus(status).phrase}</Message></Error>".encode()
        self._answer(status, {"content-type": "application/xml"}, b"" if self.command == "HEAD" else body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
