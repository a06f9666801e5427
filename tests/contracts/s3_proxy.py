"""A real HTTP server between a store and the S3 test server, with the faults of real networks and servers.

Each fault is off until a test turns it on.
"""

from contextlib import AbstractContextManager
from http import HTTPStatus

from tests.servers.proxying import Answer, Handler, serving

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
        self.upstream = upstream
        self.lose_answers: list[str] = []
        self.ignored: set[tuple[str, str]] = set()
        self.unquoted_only = False
        self.cut_after: int | None = None
        self.refuse: dict[str, tuple[int, str]] = {}
        self.requests: list[str] = []


def running(proxy: S3Proxy) -> AbstractContextManager[str]:
    """Serve while the context lasts; gives the address."""
    return serving(_Handler, proxy)


class _Handler(Handler):
    proxy: S3Proxy

    def pass_on(self) -> None:
        """Answer the request, with the fault that is on."""
        body = self.body()
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

    def _ask_upstream(self, body: bytes) -> Answer:
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in {"connection", "expect"} and (self.command, name) not in self.proxy.ignored
        }
        return self.ask(self.proxy.upstream, body, headers)

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
