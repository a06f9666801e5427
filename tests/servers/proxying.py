"""What every proxy before an S3 server does: listen on 127.0.0.1, and ask the server behind it."""

import http.client
import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

Answer = tuple[int, dict[str, str], bytes]
_PATIENCE_SECONDS = 60
_NOT_PASSED_ON = {"connection", "expect", "transfer-encoding"}


@contextmanager
def serving(handler: type["Handler"], proxy: object) -> Iterator[str]:
    """Serve while the context lasts; gives the address.

    Args:
        handler: answers the requests.
        proxy: what all of them share; the handler has it as `proxy`.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), {"proxy": proxy}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(http.server.BaseHTTPRequestHandler):
    """One request; `pass_on` says what becomes of it."""

    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        """Answer the request."""
        raise NotImplementedError

    def do_PUT(self) -> None:
        """Answer it."""
        self.pass_on()

    do_GET = do_HEAD = do_DELETE = do_POST = do_PUT  # noqa: N815 - the same

    def body(self) -> bytes:
        """Read what came with the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def passed_on(self) -> dict[str, str]:
        """Return the headers of the request that concern the server behind us."""
        return {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Answer with what the server behind us answered."""
        self.send_response_only(status)
        for name, value in headers.items():
            if name not in _NOT_PASSED_ON | {"content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", headers.get("content-length", str(len(body))))
        self.end_headers()
        self.wfile.write(body)

    def ask(self, upstream: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return what the server behind us answers: status, headers in lower case, body.

        Args:
            upstream: its address.
            body: of the request.
            headers: of the request.
        """
        connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=_PATIENCE_SECONDS)
        try:
            connection.request(self.command, self.path, body or None, dict(headers))
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
