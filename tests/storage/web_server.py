# SPDX-License-Identifier: Apache-2.0
"""A web server of our own on a free port, for tests of what is fetched by address."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quiet(BaseHTTPRequestHandler):
    """Answers as its subclasses say, and logs nothing."""

    def answer(self, status: int, body: bytes = b"", location: str = "") -> None:
        """Send a whole answer."""
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web_server(handler: type[Quiet]) -> Iterator[str]:
    """The address of a server inside the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
