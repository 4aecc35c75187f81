# SPDX-License-Identifier: Apache-2.0
"""The body of a request as it arrives: whole, or line by line. Only one message is held at a time.

Whoever reads tells an end in good order from a broken connection: a client that leaves before its end cancels the
reader, so that what it had sent is never taken for all.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.types import Receive

from howdah.errors import BadRequest, ErrorKind

__all__ = ["MESSAGE_BYTES_MAX", "Body"]

MiB: Final = 1 << 20

# The largest message that gRPC takes here (24 MiB), with its bytes in base64.
MESSAGE_BYTES_MAX: Final = 33 * MiB


class Body:
    """One request's body. Read it once, by `whole` or `lines`."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read = asyncio.Event()  # to its end, or until the client left
        self._broken = False

    async def whole(self) -> bytes:
        """All of it.

        Raises:
            BadRequest: it is larger than a message may be.
        """
        found = bytearray()
        async for chunk in self._chunks():
            found += chunk
            _check(len(found))
        return bytes(found)

    async def lines(self) -> AsyncIterator[bytes]:
        """Its lines, without those that are empty; the last one needs no line end.

        Raises:
            BadRequest: a line is longer than a message may be.
        """
        rest = bytearray()
        async for chunk in self._chunks():
            *ended, last = chunk.split(b"\n")
            for piece in ended:
                rest += piece
                _check(len(rest))
                if rest.strip():
                    yield bytes(rest)
                rest.clear()
            rest += last
            _check(len(rest))
        if rest.strip():
            yield bytes(rest)

    async def left(self) -> None:
        """Return when the client has left, which is heard of once the body was read."""
        await self._read.wait()
        while not self._broken:
            self._broken = (await self._receive())["type"] == "http.disconnect"

    async def drain(self, bytes_max: int, seconds: float) -> None:
        """Read on and forget, a while: a client that still sends when its connection ends may miss the answer."""
        try:
            async with asyncio.timeout(seconds):
                while bytes_max >= 0 and not self._read.is_set():
                    bytes_max -= len(await self._next())
        except TimeoutError:
            return

    async def _chunks(self) -> AsyncIterator[bytes]:
        while not self._read.is_set():
            chunk = await self._next()
            if self._broken:
                raise asyncio.CancelledError
            yield chunk

    async def _next(self) -> bytes:
        message = await self._receive()
        self._broken = message["type"] == "http.disconnect"
        if self._broken or not message.get("more_body", False):
            self._read.set()
        return bytes(message.get("body", b""))


def _check(size: int) -> None:
    if size > MESSAGE_BYTES_MAX:
        text = f"a message of more than {MESSAGE_BYTES_MAX} bytes of JSON is not taken; send smaller ones"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
