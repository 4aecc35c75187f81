# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy before an S3 server that does to chosen requests what networks and busy servers do."""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["503", "403", "silence", "reset", "lost", "truncated", "slow"]
Plan = Callable[[str, str], Fault | None]

SLOW_SECONDS = 0.05


class FaultyProxy:
    """Where the proxy listens, and what it does: `plan` says it for the method and path of each request."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.plan: Plan = lambda method, path: None
        self.endpoint = ""
        self.requests: list[tuple[str, str]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def fail(self, *faults: Fault, method: str = "", path: str = "") -> None:
        """The next requests of that method whose path contains `path` meet these faults, one each."""
        left = list(faults)

        def plan(its_method: str, its_path: str) -> Fault | None:
            with self.lock:
                hit = left and method in ("", its_method) and path in its_path
                return left.pop(0) if hit else None

        self.plan = plan

    def always(self, fault: Fault) -> None:
        """Every request meets the fault from now on."""
        self.plan = lambda method, path: fault

    def count(self, method: str) -> int:
        """How many requests of that method came."""
        return sum(each == method for each, _ in self.requests)


@contextmanager
def faulty_proxy(target: str) -> Iterator[FaultyProxy]:
    """A proxy before `target`, inside the block."""
    proxy = FaultyProxy(target)
    handler = type("Handler", (Handler,), {"proxy": proxy})
    with Server(("127.0.0.1", 0), handler) as server:
        proxy.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.ended.set()
            server.shutdown()
            thread.join()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.proxy.lock:
            self.proxy.requests.append((self.command, self.path))
            self.proxy.at_once += 1
            self.proxy.most_at_once = max(self.proxy.most_at_once, self.proxy.at_once)
        try:
            self.pass_on(body, self.proxy.plan(self.command, self.path))
        finally:
            with self.proxy.lock:
                self.proxy.at_once -= 1

    def pass_on(self, body: bytes, fault: Fault | None) -> None:
        if fault == "503":
            self.send(503, {}, b"<Error><Code>SlowDown</Code></Error>")
        elif fault == "403":
            self.send(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
        elif fault == "silence":
            self.proxy.ended.wait(60)
            self.reset()
        elif fault == "reset":
            self.reset()
        else:
            if fault == "slow":
                self.proxy.ended.wait(SLOW_SECONDS)
            status, headers, data = self.ask(body)
            if fault == "lost":
                self.reset()
            elif fault == "truncated":
                self.send(status, headers, data, data[: len(data) // 2])
                self.reset()
            else:
                self.send(status, headers, data)

    def ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.proxy.target, timeout=60)
        connection.request(self.command, self.path, body or None, dict(self.headers))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), data

    def send(self, status: int, headers: dict[str, str], data: bytes, sent: bytes | None = None) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length") if self.command == "HEAD" else str(len(data))
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if length is not None and status != 204:
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data if sent is None else sent)

    def reset(self) -> None:
        """End the connection as a crash does."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer  # noqa: N815
