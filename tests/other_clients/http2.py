# SPDX-License-Identifier: Apache-2.0
"""As much of HTTP/2 as a ping takes: gRPC's own client counts no pings, and waiting for the next one takes seconds."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

SETTINGS, PING, GOAWAY = 0x4, 0x6, 0x7
ACK = 0x1
SECONDS = 30  # reached only when an answer is missing


class Connection:
    """A connection on which no call is ever made."""

    def __init__(self, given: socket.socket) -> None:
        self._socket = given
        self._read = given.makefile("rb")
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, b""))

    def ping(self, number: int) -> int:
        """Send a ping and wait for its answer; the number in it. Fails if the server has had enough of them."""
        self._socket.sendall(frame(PING, struct.pack(">Q", number)))
        while True:
            kind, flags, body = self._next()
            assert kind != GOAWAY, body[8:].decode()
            if kind == PING and flags & ACK:
                answered: int = struct.unpack(">Q", body)[0]
                return answered

    def _next(self) -> tuple[int, int, bytes]:
        head = self._read.read(9)
        assert len(head) == 9, "the server has closed the connection"
        size = int.from_bytes(head[:3], "big")
        return head[3], head[4], self._read.read(size)


@contextmanager
def connection(host: str, port: int) -> Iterator[Connection]:
    """Open inside the block."""
    with socket.create_connection((host, port), SECONDS) as made:
        yield Connection(made)


def frame(kind: int, body: bytes) -> bytes:
    """A frame of the connection as a whole, without flags."""
    return len(body).to_bytes(3, "big") + bytes([kind, 0]) + bytes(4) + body
